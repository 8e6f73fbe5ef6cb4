// What is new shows by itself: when the node says that something changed, the page is asked for again and the parts
// that are marked as live take the place of the old ones. Without this script the page is the same, only not by itself.
(() => {
  "use strict";
  if (!window.EventSource || !document.body.classList.contains("signed-in")) return;

  let looking = false;
  let again = false;

  const isBusy = (part) => part.contains(document.activeElement) && document.activeElement !== document.body;

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
        if (other && other.outerHTML !== part.outerHTML && !isBusy(part)) {
          part.replaceWith(document.importNode(other, true));
        }
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
