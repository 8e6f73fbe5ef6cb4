// Follows what the shop is told: reads again when the person's node says that there is something to look at.
// Without this everything works by its buttons.
"use strict";

(() => {
  const live = () => document.getElementById("live");
  if (!live() || !window.EventSource) return;
  const show = () => document.querySelectorAll(".with-script").forEach((one) => { one.hidden = false; });
  let busy = false;
  let again = false;

  const read = async () => {
    if (live().hasAttribute("data-waiting")) {
      location.replace("/shop/order");
      return;
    }
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      const form = document.getElementById("read");
      const body = new URLSearchParams(new FormData(form));
      body.set("by", "itself");
      const answer = await fetch(form.action, { method: "POST", body });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("live");
      if (!answer.ok || !fresh) {
        location.assign("/shop/order");
        return;
      }
      const focused = document.activeElement && document.activeElement.id;
      live().replaceWith(document.adoptNode(fresh));
      show();
      if (focused && document.getElementById(focused)) document.getElementById(focused).focus();
      const changes = document.getElementById("changes");
      document.getElementById("news").textContent = changes ? changes.innerText : "";
    } catch {
      over();
    } finally {
      busy = false;
      if (again) {
        again = false;
        read();
      } else {
        settle();
      }
    }
  };

  const source = new EventSource("/shop/live?since=" + live().dataset.since);
  const settle = () => {
    if (source.readyState !== EventSource.CLOSED || busy) return;
    const said = document.getElementById("over");
    document.querySelectorAll(".with-script").forEach((one) => { one.hidden = true; });
    if (said) said.hidden = !document.querySelector("#live table");
  };
  const over = () => {
    source.close();
    settle();
  };
  source.addEventListener("look", read);
  source.addEventListener("over", over);
  source.addEventListener("error", () => { if (source.readyState === EventSource.CLOSED) over(); });
  window.addEventListener("pagehide", () => source.close());
  show();
})();
