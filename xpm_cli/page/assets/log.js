/* The log of a job: it follows while the job runs, reads on as the user scrolls, searches, and finds the traceback.
 *
 * Owns: the element with `data-log`, which names the URL of the log. The server sends lines as elements `.part`, which
 * say where they begin and end; the last line of an open part comes again with the next one. Lines are asked for only
 * while the log is on the screen and the job runs. Nobody hears new lines read aloud unless he moves into the log.
 */
(() => {
  "use strict";

  const root = document.querySelector("[data-log]");
  if (!root) return;

  const POLL_MS = 1000, SLOW_MS = 5000, MOST_LINES = 6000, NEAR_PX = 40, FAR_BYTES = 1e6;
  const WRAP = "xpm-log-wrap";
  const lines = root.querySelector("[data-log-lines]");
  const said = root.querySelector("[data-log-said]");
  const found = root.querySelector("[data-log-found]");
  const follow = root.querySelector("[data-log-follow]");
  const wrap = root.querySelector("[data-log-wrap]");

  let runs = root.dataset.follows !== undefined;
  let follows = root.dataset.elsewhere === undefined; // whether the end of the log is what the user looks at
  let onScreen = true, busy = false, timer = 0, quiet = 0, endTop = 0;
  let url = root.dataset.log;

  /* -- parts ----------------------------------------------------------------------------------------------------- */

  const first = () => lines.querySelector(".part");
  const last = () => [...lines.querySelectorAll(".part")].pop();
  const at = (name, part) => Number(part.dataset[name]);
  const isWhole = (part) => part.dataset.open !== undefined || at("end", part) >= at("stop", part); // an open line comes again

  function withPlace(place) {
    const target = new URL(url, location.href);
    for (const [name, value] of Object.entries(place)) if (value !== "") target.searchParams.set(name, value);
    return target;
  }

  async function ask(target) {
    const answer = await fetch(target, { headers: { "HX-Request": "true" } });
    const text = await answer.text();
    return { text, isThere: answer.ok };
  }

  function parsed(text) {
    return new DOMParser().parseFromString(text, "text/html").querySelector(".part");
  }

  async function part(place) {
    const { text, isThere } = await ask(withPlace(place));
    const got = isThere ? parsed(text) : null;
    if (!got) throw new Error("no lines");
    runs = got.dataset.follows !== undefined;
    return document.adoptNode(got);
  }

  function say(text) {
    if (said.textContent !== text) said.textContent = text;
  }

  function replaceBy(got) {
    lines.replaceChildren(got);
    say(got.dataset.said);
  }

  /* New lines stand at the end. If the last line had no end, the new part begins with it anew. */
  function append(got) {
    const before = last();
    if (!before || got.dataset.fresh !== undefined) {
      replaceBy(got);
      return;
    }
    if (before.dataset.open !== undefined && before.lastElementChild) before.lastElementChild.remove();
    if (got.dataset.said || got.children.length) say(got.dataset.said);
    if (got.children.length || got.dataset.end !== before.dataset.end) lines.append(got);
    if (!before.children.length && before !== got && before.isConnected && before !== first()) before.remove();
    if (follows) trim();
  }

  /* A log may grow for weeks: the page holds its last lines. */
  function trim() {
    let count = lines.querySelectorAll(".line").length - MOST_LINES;
    for (let each = first(); count > 0 && each; each = first()) {
      if (each.children.length > count) {
        for (; count > 0; count--) each.firstElementChild.remove();
        each.dataset.start = each.firstElementChild.dataset.at;
      } else {
        count -= each.children.length;
        if (each === last()) break;
        each.remove();
      }
    }
  }

  function toEnd() {
    lines.scrollTop = lines.scrollHeight;
    endTop = lines.scrollTop;
  }

  /* The text of the line without an end; null without such a line. */
  function openLine(part) {
    return part.dataset.open !== undefined && part.lastElementChild ? part.lastElementChild.textContent.trim() : null;
  }

  /* -- following ------------------------------------------------------------------------------------------------- */

  async function poll() {
    timer = 0;
    if (busy || !follows || !onScreen || document.hidden) return;
    busy = true;
    const ran = runs;
    try {
      const before = last();
      const got = await part({ at: before.dataset.end, file: before.dataset.file, style: before.dataset.style });
      const isNew = got.children.length > 1 || (got.children.length && got.textContent.trim() !== openLine(before));
      if (lines.scrollTop < endTop) onScroll(); // the browser has not said it yet
      const isFar = at("stop", got) - at("end", got) > FAR_BYTES; // a tab that was hidden for a night
      if (follows) {
        if (isFar) replaceBy(await part({}));
        else append(got);
        toEnd();
      }
      quiet = isNew ? 0 : quiet + 1;
      if (!isFar && at("end", got) < at("stop", got) && got.dataset.open === undefined && got.children.length) quiet = -1; // more is there
    } catch (error) {
      quiet = 10;
    }
    busy = false;
    if (!follows) readAround(); // who scrolled meanwhile may be at an end
    if (runs || ran || quiet < 0) plan(quiet < 0 ? 0 : Math.min(POLL_MS * (1 + quiet / 5), SLOW_MS));
  }

  function plan(ms) {
    clearTimeout(timer);
    timer = setTimeout(poll, ms);
  }

  function setFollow(on) {
    if (follows === on) return;
    follows = on;
    follow.checked = on;
    if (on) goToEnd();
  }

  async function goToEnd() {
    try {
      const end = last();
      if (root.dataset.elsewhere !== undefined || !end || at("end", end) + FAR_BYTES < at("stop", end)) replaceBy(await part({}));
      delete root.dataset.elsewhere;
    } catch (error) {
      say("The log cannot be read now.");
    }
    follows = true;
    follow.checked = true;
    toEnd();
    quiet = 0;
    plan(0);
  }

  async function goTo(place, mark) {
    follows = false;
    follow.checked = false;
    root.dataset.elsewhere = "";
    busy = true;
    try {
      const got = await part(place);
      replaceBy(got);
      const line = mark && !got.dataset.said ? lines.querySelector(".line") : null;
      lines.scrollTop = 0;
      if (line) line.classList.add("found");
      if (line && at("start", got) > at("first", got)) { // what stands before it helps to understand it
        lines.prepend(await part({ before: got.dataset.start }));
        lines.scrollTop = line.offsetTop - lines.offsetTop - lines.clientHeight / 4;
      }
      lines.focus({ preventScroll: true });
      root.scrollIntoView({ block: "nearest" });
    } catch (error) {
      say("The log cannot be read now.");
    }
    busy = false;
  }

  /* -- reading on ------------------------------------------------------------------------------------------------ */

  async function readOn(place, put) {
    busy = true;
    let came = 0;
    try {
      const got = await part(place);
      came = got.children.length;
      put(got);
    } catch (error) {
      say("The log cannot be read now.");
    }
    busy = false;
    if (came) readAround();
  }

  function below() {
    return lines.scrollHeight - lines.scrollTop - lines.clientHeight;
  }

  function onScroll() {
    const left = below(), end = last();
    if (!end) return;
    if (left > NEAR_PX && follows) {
      follows = false;
      follow.checked = false;
    } else if (left <= 4 && !follows && isWhole(end)) {
      delete root.dataset.elsewhere;
      setFollow(true);
    }
    readAround();
  }

  function readAround() {
    const begin = first(), end = last();
    if (busy || !begin) return;
    if (lines.scrollTop < NEAR_PX && at("start", begin) > at("first", begin)) {
      readOn({ before: begin.dataset.start }, (got) => {
        const height = lines.scrollHeight;
        if (got.children.length) lines.prepend(got);
        lines.scrollTop += lines.scrollHeight - height;
      });
    } else if (below() < NEAR_PX && !follows && !isWhole(end)) {
      readOn({ at: end.dataset.end, file: end.dataset.file, style: end.dataset.style }, append);
    }
  }

  /* -- searching ------------------------------------------------------------------------------------------------- */

  async function find(target) {
    found.textContent = "Searching…";
    try {
      const { text, isThere } = await ask(target);
      const parts = isThere ? new DOMParser().parseFromString(text, "text/html").body.childNodes : [];
      found.replaceChildren(...[...parts].map((each) => document.adoptNode(each)));
      if (!isThere) found.textContent = "The log cannot be searched now.";
    } catch (error) {
      found.textContent = "The log cannot be searched now.";
    }
  }

  root.querySelector("form").addEventListener("submit", (event) => {
    const form = event.target, text = form.elements.find.value;
    event.preventDefault();
    if (!text) found.replaceChildren();
    else find(withPlace({ find: text, regex: form.elements.regex.checked ? "1" : "" }));
  });

  root.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (link.dataset.logMore !== undefined) find(new URL(link.href));
    else if (link.dataset.at !== undefined) goTo({ at: link.dataset.at }, true);
    else if (link.dataset.logTraceback !== undefined) goTo({ to: "traceback" }, true);
    else if (link.dataset.logFirst !== undefined) goTo({ at: first() ? first().dataset.first : 0 }, false);
    else if (link.dataset.logEnd !== undefined) {
      root.dataset.elsewhere = "";
      goToEnd();
    } else return;
    event.preventDefault();
  });

  /* -- switches and keys ----------------------------------------------------------------------------------------- */

  function setWrap(on) {
    lines.classList.toggle("wrap", on);
    wrap.checked = on;
    try {
      localStorage.setItem(WRAP, on ? "1" : "");
    } catch (error) {
      return; // the browser keeps nothing
    }
  }

  const KEYS = {
    f: () => (follows ? setFollow(false) : goToEnd()),
    t: () => goTo({ to: "traceback" }, true),
    w: () => setWrap(!wrap.checked),
    g: () => goTo({ at: first() ? first().dataset.first : 0 }, false),
    G: () => goToEnd(),
    n: () => root.querySelector("#find").focus(),
  };

  /* They work only while the focus is in the lines, so they disturb nobody. */
  lines.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    KEYS[event.key]();
  });

  for (const element of [follow.parentElement, wrap.parentElement, root.querySelector("[data-log-keys]")]) element.hidden = false;
  follow.checked = follows;
  follow.addEventListener("change", () => (follow.checked ? goToEnd() : setFollow(false)));
  wrap.addEventListener("change", () => setWrap(wrap.checked));
  lines.addEventListener("scroll", onScroll, { passive: true });
  const links = root.querySelector("[data-log-links]");
  if (links) links.hidden = true;
  try {
    if (localStorage.getItem(WRAP)) setWrap(true);
  } catch (error) {
    setWrap(false);
  }

  if (window.IntersectionObserver) {
    new IntersectionObserver((entries) => {
      onScreen = entries[entries.length - 1].isIntersecting;
      if (onScreen && runs && !timer) plan(0);
    }).observe(lines);
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && runs) plan(0);
  });
  document.addEventListener("xpm:jobs", (event) => {
    const state = event.detail.jobs[root.dataset.job];
    if (state === undefined && !event.detail.many) return;
    quiet = 0; // the answer says whether it runs
    plan(0);
  });

  if (follows) toEnd();
  if (runs) plan(POLL_MS);
})();
