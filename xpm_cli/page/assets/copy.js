/* Buttons that copy commands, identities and paths.
 *
 * Owns: elements with `data-copy`. Each gets a button behind it. Without this script their text is selected by hand.
 */
(() => {
  "use strict";

  if (!navigator.clipboard) return; // a page that is neither local nor served by TLS cannot copy

  function add(element) {
    if (element.nextElementSibling && element.nextElementSibling.dataset.copies !== undefined) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain copier";
    button.dataset.copies = "";
    button.textContent = "copy";
    button.setAttribute("aria-label", `Copy ${element.textContent}`);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(element.textContent);
        button.textContent = "copied";
      } catch (error) {
        button.textContent = "not copied";
      }
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
    element.after(button);
  }

  function addAll() {
    document.querySelectorAll("[data-copy]").forEach(add);
  }

  addAll();
  new MutationObserver(addAll).observe(document.getElementById("main"), { childList: true, subtree: true });
})();
