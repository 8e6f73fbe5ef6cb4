// The switch of the language brings along what is filled in in its form. With this script it brings what is filled in
// in the other forms of the page too.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.submitter?.name !== "language" || !event.submitter.hasAttribute("form")) return;
  for (const other of document.querySelectorAll("main form[method=post]")) {
    if (other === form) continue;
    for (const [name, value] of new FormData(other)) {
      if (typeof value !== "string" || value === "" || form.elements.namedItem(name)) continue;
      if (other.querySelector(`input[type=password][name="${CSS.escape(name)}"]`)) continue;
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value });
      form.append(field);
    }
  }
});

// What is new shows by itself: when the node says that something changed, the page is asked for again and the parts
// that are marked as live take the place of the old ones. Without this script the page is the same, only not by itself.
(() => {
  "use strict";
  if (!window.EventSource || !document.body.classList.contains("signed-in")) return;

  let looking = false;
  let again = false;

  // What has the focus in a part, if anything. Where the new part has a link or button of the same id, that takes the
  // focus over; else the part is busy, and stays as it is until the focus has moved on.
  const focused = (part) => {
    const active = document.activeElement;
    return active !== document.body && part.contains(active) ? active : null;
  };
  const heir = (active, other) =>
    active.id && active.matches("a, button") ? other.querySelector("#" + CSS.escape(active.id)) : null;

  const replace = (part, other) => {
    const active = focused(part);
    if (active && !heir(active, other)) return;
    const made = document.importNode(other, true);
    part.replaceWith(made);
    if (active) heir(active, made).focus({ preventScroll: true });
  };

  // A form that somebody fills in stays as it is; where it is about an earlier version by now, it says so.
  const tell = (fresh) => {
    for (const part of document.querySelectorAll("[data-version][id]")) {
      const notice = document.getElementById(part.id + "-changed");
      const other = fresh.getElementById(part.id);
      if (notice && (!other || other.dataset.version !== part.dataset.version)) notice.hidden = false;
    }
  };

  async function look() {
    if (looking) { again = true; return; }
    looking = true;
    try {
      const answer = await fetch(location.href, { headers: { "Accept": "text/html" }, redirect: "error" });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      tell(fresh);
      for (const part of document.querySelectorAll("[data-live][id]")) {
        const other = fresh.getElementById(part.id);
        if (other && other.outerHTML !== part.outerHTML) replace(part, other);
      }
    } catch {
      // The node is not there just now; the stream of events says when it is again.
    } finally {
      looking = false;
      if (again) { again = false; look(); }
    }
  }

  const events = new EventSource("/my/live");
  events.addEventListener("changed", look);
  let opened = false;
  events.addEventListener("ready", () => { if (opened) look(); opened = true; });
  window.addEventListener("pagehide", () => events.close());
})();
