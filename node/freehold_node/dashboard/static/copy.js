// A button that copies what stands beside it, and says so. Without this script, or where the browser keeps the clipboard
// from the page, there is no button, and what is to be copied can be selected as ever.
(() => {
  "use strict";
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    const said = button.nextElementSibling;
    button.hidden = false;
    button.addEventListener("click", async () => {
      said.textContent = "";
      try {
        await navigator.clipboard.writeText(source instanceof HTMLInputElement ? source.value : source.textContent);
        said.textContent = button.dataset.copied;
      } catch {
        said.textContent = button.dataset.failed;
      }
    });
  }
})();
