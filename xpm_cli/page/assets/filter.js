/* Completion in the filter box.
 *
 * Owns: the list below an input with `data-complete`, which names the URL that answers what can come next. The input is
 * a combobox: a screen reader reads the word that is chosen. Down and Up choose one, Enter or Tab takes it, Esc closes.
 */
(() => {
  "use strict";

  const DELAY_MS = 120;
  const input = document.querySelector("input[data-complete]");
  if (!input) return;

  const list = document.createElement("ul");
  list.id = `${input.id}-words`;
  list.className = "words";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Words that can come next");
  input.after(list);
  const roles = { role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false" };
  for (const [name, value] of Object.entries(roles)) input.setAttribute(name, value);

  let chosen = -1, piece = "", timer = 0, asking = null;

  function close() {
    clearTimeout(timer);
    if (asking) asking.abort();
    list.hidden = true;
    list.replaceChildren();
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function show(answer) {
    close();
    const words = answer.words.filter((each) => each.word !== answer.piece);
    if (!words.length || document.activeElement !== input) return;
    piece = answer.piece;
    for (const [index, each] of words.entries()) {
      const option = document.createElement("li");
      option.id = `${list.id}-${index}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.word = each.word;
      option.dataset.more = each.more ? "1" : "";
      const word = document.createElement("code");
      word.textContent = each.word.trim();
      const about = document.createElement("span");
      about.textContent = each.about;
      option.append(word, " ", about);
      list.append(option);
    }
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
  }

  function choose(index) {
    const options = list.children;
    if (chosen >= 0) options[chosen].setAttribute("aria-selected", "false");
    chosen = (index + options.length) % options.length;
    options[chosen].setAttribute("aria-selected", "true");
    options[chosen].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[chosen].id);
  }

  /* Put a word in the place of the piece before the caret. A name goes on with its operator, a join with a blank. */
  function take(option) {
    const { word, more } = option.dataset, end = input.selectionStart, start = end - piece.length;
    const isJoin = /^ ?(and|or|not)$/.test(word);
    const isName = more && !isJoin && !/^[=<>!]/.test(word);
    input.setRangeText(word + (isJoin ? " " : isName ? "=" : ""), start, end, "end");
    close();
    if (more) ask();
  }

  function ask() {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      if (asking) asking.abort();
      asking = new AbortController();
      const text = input.value.slice(0, input.selectionStart), { signal } = asking;
      try {
        const answer = await fetch(`${input.dataset.complete}?text=${encodeURIComponent(text)}`, { signal });
        const found = answer.ok ? await answer.json() : { words: [] };
        if (!signal.aborted) show(found);
      } catch (error) {
        if (error.name !== "AbortError") close();
      }
    }, DELAY_MS);
  }

  input.addEventListener("input", ask);
  input.addEventListener("blur", close);
  list.addEventListener("pointerdown", (event) => { // before the input loses the focus
    event.preventDefault();
    const option = event.target.closest("li");
    if (option) take(option);
  });
  input.addEventListener("keydown", (event) => {
    const isDown = event.key === "ArrowDown", isUp = event.key === "ArrowUp";
    if (list.hidden) {
      if (isDown) ask();
      return;
    }
    const isTaken = chosen >= 0 && (event.key === "Enter" || event.key === "Tab");
    if (isDown || isUp) choose(isDown ? chosen + 1 : chosen < 0 ? -1 : chosen - 1);
    else if (isTaken) take(list.children[chosen]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
})();
