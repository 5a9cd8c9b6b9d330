/* The timeline by wheel and by dragging. Without this script, the buttons above it do the same.
 *
 * Owns: which part of time is asked for. While the server still reads (`data-again`, seconds), it is asked again. The server draws it; the answer takes the place of #timeline. A wheel with Ctrl
 * or Shift changes how much is seen, dragging moves it. While one answer is on its way, only the latest wish is kept.
 */
(() => {
  "use strict";

  const WAIT_MS = 120, LABELS = 170, LENGTH = 1000, WIDTH = 1200, FARTHER = 1.25, LEAST_S = 0.1, NEAR_PX = 4;
  let wish = null, timer = 0, busy = false, drag = null, dragged = false;

  const picture = () => document.querySelector("svg.timeline");

  function seen() {
    const { from, to } = picture().dataset;
    return wish || { from: Number(from), to: Number(to) };
  }

  /* Which part of what is seen lies left of a place on the screen. */
  function part(x) {
    const box = picture().getBoundingClientRect();
    return Math.min(Math.max((((x - box.left) / box.width) * WIDTH - LABELS) / LENGTH, 0), 1);
  }

  function ask(from, to) {
    if (!(to - from >= LEAST_S) || from < 0) return;
    wish = { from, to };
    clearTimeout(timer);
    timer = setTimeout(send, WAIT_MS);
  }

  async function send() {
    if (busy || !wish) return;
    const { from, to } = wish, url = new URL(location.href);
    url.searchParams.set("from", from.toFixed(3));
    url.searchParams.set("to", to.toFixed(3));
    busy = true;
    await show(url);
    busy = false;
    if (wish && wish.from === from && wish.to === to) wish = null;
    else send();
  }

  async function show(url) {
    try {
      const answer = await fetch(url, { headers: { "HX-Request": "true" } });
      const found = answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("timeline") : null;
      if (found) {
        const place = document.getElementById("timeline"), left = document.getElementById("lanes")?.scrollLeft || 0;
        place.replaceWith(document.adoptNode(found));
        const lanes = document.getElementById("lanes");
        if (lanes) lanes.scrollLeft = left;
        history.replaceState(null, "", url);
      }
    } catch (error) {
      // no connection: the picture stays, and the next wish asks again
    }
    again();
  }

  function again() {
    const seconds = Number(document.getElementById("timeline")?.dataset.again);
    if (seconds) setTimeout(() => show(new URL(location.href)), seconds * 1000);
  }

  again();
  document.addEventListener("wheel", (event) => {
    if (!picture()?.contains(event.target) || !(event.ctrlKey || event.shiftKey)) return;
    event.preventDefault();
    const { from, to } = seen(), at = part(event.clientX), middle = from + at * (to - from);
    const span = (to - from) * ((event.deltaY || event.deltaX) > 0 ? FARTHER : 1 / FARTHER);
    ask(middle - at * span, middle + (1 - at) * span);
  }, { passive: false });

  document.addEventListener("pointerdown", (event) => {
    if (event.button || event.pointerType === "touch" || !picture()?.contains(event.target)) return;
    const { from, to } = seen();
    drag = { x: event.clientX, from, to };
    dragged = false;
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag || !picture()) return;
    const moved = event.clientX - drag.x;
    if (!dragged && Math.abs(moved) < NEAR_PX) return;
    dragged = true;
    const shift = (drag.to - drag.from) * (moved / picture().getBoundingClientRect().width) * (WIDTH / LENGTH);
    ask(drag.from - shift, drag.to - shift);
  });
  document.addEventListener("pointerup", () => { drag = null; });
  document.addEventListener("pointercancel", () => { drag = null; });
  document.addEventListener("dragstart", (event) => { if (picture()?.contains(event.target)) event.preventDefault(); });
  document.addEventListener("click", (event) => { // the end of a drag is no click on a job
    if (dragged && picture()?.contains(event.target)) event.preventDefault();
    dragged = false;
  }, true);
})();
