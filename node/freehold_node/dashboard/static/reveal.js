// A passphrase that is being typed can be looked at; the sheet can be printed by a button. Without this script the
// fields stay hidden, and the browser prints as ever.
(() => {
  "use strict";
  const words = document.getElementById("reveal");
  for (const box of words ? document.querySelectorAll("input[type=password]") : []) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link reveal";
    button.setAttribute("aria-controls", box.id);
    button.textContent = words.dataset.show;
    button.addEventListener("click", () => {
      const shows = box.type === "password";
      box.type = shows ? "text" : "password";
      button.textContent = shows ? words.dataset.hide : words.dataset.show;
    });
    box.after(button);
    box.form.addEventListener("submit", () => { box.type = "password"; });
  }
  const print = document.getElementById("print");
  if (print) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }
})();
