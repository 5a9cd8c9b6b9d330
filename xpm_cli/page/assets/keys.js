/* The keyboard: / goes to the filter, j and k to the next row and the one before, Enter opens it, ? lists the keys.
 *
 * Owns: these keys, and the list of them. j and k move the focus to the link of a row, so that a screen reader reads it
 * and Enter follows it. Somebody who dictates can turn single keys off: the list of keys remembers it.
 */
(() => {
  "use strict";

  const KEYS = [
    ["/", "go to the filter"],
    ["j", "next row"],
    ["k", "row before"],
    ["Enter", "open the row"],
    ["x", "choose the row"],
    ["Esc", "leave the filter or this list"],
    ["?", "show this list"],
  ];
  const OFF = "xpm-keys-off";
  const ROWS = "tr[data-job], [data-row]";
  let dialog = null;

  function isOff() {
    try {
      return localStorage.getItem(OFF) === "1";
    } catch (error) {
      return false; // the browser keeps nothing
    }
  }

  function setOff(off) {
    try {
      if (off) localStorage.setItem(OFF, "1");
      else localStorage.removeItem(OFF);
    } catch (error) {
      return;
    }
  }

  function make(name, text, parent) {
    const element = document.createElement(name);
    if (text) element.textContent = text;
    if (parent) parent.append(element);
    return element;
  }

  function build() {
    const made = make("dialog", "", document.body);
    made.className = "keys";
    made.setAttribute("aria-labelledby", "keys-title");
    make("h2", "Keys", made).id = "keys-title";
    const list = make("dl", "", made);
    for (const [key, does] of KEYS) {
      make("kbd", key, make("dt", "", list));
      make("dd", does, list);
    }
    const label = make("label", "", make("p", "", made));
    const box = make("input", "", label);
    box.type = "checkbox";
    box.checked = !isOff();
    box.addEventListener("change", () => setOff(!box.checked));
    label.append(" Single keys do something");
    const close = make("button", "Close", make("p", "", made));
    close.type = "button";
    close.addEventListener("click", () => made.close());
    return made;
  }

  function help() {
    dialog = dialog || build();
    if (!dialog.open) dialog.showModal();
  }

  function move(step) {
    const rows = [...document.querySelectorAll(ROWS)].filter((row) => row.querySelector("a"));
    if (!rows.length) return;
    const here = document.activeElement.closest(ROWS);
    const index = here ? rows.indexOf(here) + step : step > 0 ? 0 : rows.length - 1;
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    row.querySelector("th a, a").focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  function choose() {
    const row = document.activeElement.closest(ROWS);
    const box = row && row.querySelector("input[type=checkbox]");
    if (box) box.click();
  }

  const ACTS = {
    "/": () => {
      const filter = document.getElementById("filter");
      if (filter) filter.select();
    },
    "?": help,
    j: () => move(1),
    k: () => move(-1),
    x: choose,
  };

  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing) return;
    if (event.key === "Escape" && target.id === "filter") {
      event.preventDefault(); // the browser would empty it
      target.blur();
    }
    const types = target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName);
    if ((types && target.type !== "checkbox") || isOff() || (dialog && dialog.open)) return;
    if (!Object.hasOwn(ACTS, event.key)) return;
    event.preventDefault();
    ACTS[event.key]();
  });

  for (const button of document.querySelectorAll("[data-keys]")) {
    button.hidden = false;
    button.addEventListener("click", help);
  }
})();
