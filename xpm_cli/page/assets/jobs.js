/* The list of jobs: rows change in place, new ones come, and more are loaded as one scrolls.
 *
 * Owns: the rows of a table with `data-rows`, and the counts above it. Rows that have changed are asked for when they
 * are in view, 200 at most at a time. The page keeps as many rows as the user has scrolled through, at most `MOST`.
 */
(() => {
  "use strict";

  const PAGE = 200, MOST = 4000, LEAST_MS = 250, COUNTS_MS = 1000, LIST_MS = 2500, SHARE = 30;
  const LONGEST_MS = 10000, PATIENCE_MS = 60000, ERROR_MS = 2000, AGES_MS = 30000;
  const main = document.getElementById("main");
  let limit = PAGE; // as many rows as the user has asked for
  let moved = false; // whether jobs may have come or gone
  let recount = false;
  let busy = false;
  const free = { insert: 0, count: 0 }; // when each may be done again
  let asked = 0; // how many answers with rows are on their way
  const meanwhile = new Set(); // jobs that have changed since they were asked for
  let manyMeanwhile = false;

  const table = () => main.querySelector("table[data-rows]");
  const rows = () => main.querySelectorAll("tr[data-job]");
  const rowOf = (identity) => document.getElementById(`job-${identity}`);

  class OtherColumns extends Error {}

  async function ask(url) {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(url, { headers: { "HX-Request": "true" }, signal });
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    const columns = answer.headers.get("X-Columns");
    if (columns && table() && columns !== table().dataset.columns) throw new OtherColumns();
    return answer.text();
  }

  /* Ask for rows, and put them into the page. What has changed meanwhile may be older there than it is. */
  async function withRows(url, put) {
    asked += 1;
    try {
      const template = document.createElement("template");
      template.innerHTML = await ask(url);
      put(template.content);
    } finally {
      settle();
    }
  }

  function settle() {
    asked -= 1;
    if (manyMeanwhile) rows().forEach(mark);
    for (const identity of meanwhile) mark(rowOf(identity));
    if (asked) return;
    meanwhile.clear();
    manyMeanwhile = false;
  }

  function mark(row) {
    if (row) row.dataset.stale = "";
  }

  function isInView(row) {
    const box = row.getBoundingClientRect();
    return box.bottom > -200 && box.top < window.innerHeight + 200;
  }

  function staleInView() {
    return [...main.querySelectorAll("tr[data-stale]")].filter(isInView).slice(0, PAGE);
  }

  /* Put a row in the place of an older one. What the user has chosen, and where the focus is, stays. */
  function replace(old, row) {
    const box = row.querySelector("input[type=checkbox]"), oldBox = old.querySelector("input[type=checkbox]");
    if (box && oldBox) box.checked = oldBox.checked;
    const focused = old.contains(document.activeElement) ? document.activeElement.tagName : "";
    old.replaceWith(row);
    if (focused) (row.querySelector(focused) || row.querySelector("a")).focus({ preventScroll: true });
  }

  function remove(row) {
    if (row.contains(document.activeElement)) {
      const next = row.nextElementSibling || row.previousElementSibling;
      const link = next && next.querySelector("a");
      if (link) link.focus({ preventScroll: true });
    }
    row.remove();
  }

  async function renew() {
    const stale = staleInView();
    if (!stale.length) return;
    const url = table().dataset.rows, ids = stale.map((row) => row.dataset.job);
    for (const row of stale) row.removeAttribute("data-stale");
    try {
      await withRows(`${url}${url.includes("?") ? "&" : "?"}ids=${ids.join(",")}`, (found) => {
        for (const row of found.querySelectorAll("tr[data-job]")) {
          const old = rowOf(row.dataset.job);
          if (old) replace(old, row);
        }
        for (const row of stale) if (row.isConnected) remove(row); // it does not match the filter any more
      });
    } catch (error) {
      stale.forEach(mark);
      throw error;
    }
  }

  /* Each job that is new goes behind the one that stands before it in the order of the server. */
  async function insert() {
    moved = false;
    if (!table()) return renewAll();
    const body = table().tBodies[0];
    await withRows(table().dataset.rows, (found) => {
      let before = null;
      const first = new Set();
      for (const row of [...found.querySelectorAll("tr[data-job]")]) {
        first.add(row.dataset.job);
        const old = rowOf(row.dataset.job);
        if (!old) body.insertBefore(row, before ? before.nextElementSibling : body.firstElementChild);
        before = old || row;
      }
      trim(body, first, found.querySelector("tr.more"));
    });
  }

  /* Take out what is too much: first jobs that have moved down from among those that are the first now, then the last
   * ones; but none that is chosen, or in view and about to change. The list then goes on behind the first ones. */
  function trim(body, first, more) {
    const all = [...rows()], last = all.findLastIndex((row) => first.has(row.dataset.job));
    const away = all.filter((row, at) => at < last && !first.has(row.dataset.job));
    const rest = all.slice(last + 1).reverse(), old = body.querySelector("tr.more");
    const stays = (row) => row.querySelector(":checked, :focus") || (row.matches("[data-stale]") && isInView(row));
    const excess = [...away, ...rest].filter((row) => !stays(row)).slice(0, Math.max(all.length - limit, 0));
    for (const row of excess) row.remove();
    if (!more || (old && !excess.length) || all.length < limit || all.length - excess.length >= more.dataset.of) return;
    if (old) observer.unobserve(old);
    if (old) old.remove();
    watch(body.appendChild(more));
  }

  /* The first job of all, or the first with another parameter: the table itself is another one. */
  async function renewAll() {
    asked += 1;
    try {
      const text = await (await fetch(window.location.href)).text();
      if (!text.includes('id="main"')) return;
      await htmx.swap({ text, target: main, sourceElement: main, select: "#main", swap: "outerMorph" });
      begin();
    } finally {
      settle();
    }
  }

  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) load(entry.target);
  }, { rootMargin: "600px" });

  function watch(row) {
    if (row && limit < MOST) observer.observe(row);
  }

  async function load(more) {
    observer.unobserve(more);
    try {
      await withRows(more.dataset.more, (found) => {
        if (!more.isConnected) return; // the list goes on elsewhere now
        const focused = document.activeElement;
        for (const row of found.querySelectorAll("tr[data-job]")) {
          const old = rowOf(row.dataset.job);
          if (old) row.replaceWith(old); // with what is chosen
        }
        more.replaceWith(found);
        focused.focus({ preventScroll: true });
      });
      limit = Math.max(limit, rows().length);
      watch(main.querySelector("tr.more"));
    } catch (error) {
      moved = moved || error instanceof OtherColumns;
      setTimeout(() => more.isConnected && watch(more), COUNTS_MS);
    }
  }

  function begin() {
    limit = Math.max(rows().length, PAGE);
    observer.disconnect();
    watch(main.querySelector("tr.more"));
  }

  async function count() {
    recount = false;
    const counts = main.querySelector("[data-counts]");
    if (!counts) return;
    const text = await ask(counts.dataset.counts);
    const link = counts.contains(document.activeElement) && document.activeElement.getAttribute("href");
    counts.innerHTML = text;
    const same = link && [...counts.querySelectorAll("a")].find((each) => each.getAttribute("href") === link);
    if (same) same.focus({ preventScroll: true });
  }

  /* Do something that costs the server as much as it has jobs or rows, and then not again for a while. */
  async function sometimes(name, doIt, leastMs) {
    const began = performance.now();
    if (began < free[name]) return;
    free[name] = began + leastMs;
    await doIt();
    const ended = performance.now();
    free[name] = Math.max(free[name], ended + Math.min(SHARE * (ended - began), LONGEST_MS));
  }

  async function work() {
    if (busy || document.hidden) return;
    busy = true;
    let restMs = LEAST_MS;
    try {
      await renew();
      if (moved) await sometimes("insert", insert, LIST_MS);
      if (recount) await sometimes("count", count, COUNTS_MS);
    } catch (error) {
      moved = recount = true; // again, also if there is no connection now
      restMs = ERROR_MS;
      if (error instanceof OtherColumns) await renewAll().catch(() => {});
    }
    setTimeout(() => {
      busy = false;
      if (moved || recount || staleInView().length) work();
    }, restMs);
  }

  document.addEventListener("xpm:jobs", ({ detail }) => {
    if (detail.many) {
      rows().forEach(mark);
      manyMeanwhile = asked > 0;
    }
    for (const identity of Object.keys(detail.jobs)) {
      const row = rowOf(identity);
      mark(row);
      moved = moved || !row;
      if (asked) meanwhile.add(identity);
    }
    moved = moved || detail.many;
    recount = true;
    work();
  });
  function all() {
    rows().forEach(mark);
    moved = recount = true;
    work();
  }

  document.addEventListener("xpm:calm", all);
  document.addEventListener("visibilitychange", () => work()); // what was left when the tab was hidden
  setInterval(() => document.hidden || all(), AGES_MS); // ages and filters about times: no event says that time goes on
  document.addEventListener("scroll", () => main.querySelector("tr[data-stale]") && work(), { passive: true });
  begin();
})();
