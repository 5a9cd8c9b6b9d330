/* What changes in the workspace, told to every tab by one connection.
 *
 * Owns: the stream /live. Of all tabs, the one that holds the lock "xpm-live" reads it. A BroadcastChannel hands each
 * event on to the others. While no tab is visible, nobody reads. Whoever reads again names the last event that he knows.
 * Without locks, each tab reads for itself.
 *
 * The document gets the event "xpm:jobs". Its detail is {jobs: {identity: state}, counts: {state: number} or null, many}.
 * `many` says that any job may have changed. A hidden tab is told nothing; when it is shown, it is told `many`.
 *
 * The event "xpm:calm" comes when nothing has changed for a while, and then every minute: what costs the server much may
 * be some seconds old when it is asked for, and times go on.
 */
(() => {
  "use strict";

  const cursor = document.querySelector('meta[name="xpm-cursor"]');
  if (!cursor || !window.EventSource) return;

  const URL_OF_STREAM = "/live", LEADS = "xpm-live", SHOWN = "xpm-shown";
  const CHECK_MS = 20000, AGAIN_MS = 5000, PATIENCE_MS = 3000, CALM_MS = [2000, 6000, 20000, 60000];
  const LOST = "No connection to the page. If it was started again, open the address that it has printed.";
  const STOOD = "The page shows how things stood.";
  const FILES = "The server cannot be had: the files of the workspace answer.";
  const locks = window.BroadcastChannel ? navigator.locks : undefined;
  const channel = locks ? new BroadcastChannel("xpm-live") : null;

  let last = cursor.content; // the last event that this tab knows
  let stale = false; // whether this tab was hidden when something changed
  let source = null; // the connection, if this tab has it
  let leads = false;
  let said = ""; // what keeps the page from following the jobs
  let hides = null; // ends the claim of this tab that it is visible

  function say(message) {
    if (channel) channel.postMessage(message);
  }

  /* -- what a tab is told ---------------------------------------------------------------------------------------- */

  function isLater(one, other) {
    const [ms, n] = one.split("-").map(Number), [otherMs, otherN] = other.split("-").map(Number);
    return ms !== otherMs ? ms > otherMs : n > otherN;
  }

  let calm = 0, calmTimer = 0; // how often it has been said that nothing changes

  function tell(data) {
    document.dispatchEvent(new CustomEvent("xpm:jobs", { detail: data }));
    calm = 0;
    waitForCalm();
  }

  function waitForCalm() {
    clearTimeout(calmTimer);
    calmTimer = setTimeout(() => {
      calm += 1;
      if (!document.hidden) document.dispatchEvent(new CustomEvent("xpm:calm"));
      waitForCalm();
    }, CALM_MS[Math.min(calm, CALM_MS.length - 1)]);
  }

  function take(id, data) {
    last = id;
    const before = said;
    if (data.outage) said = `The server does not answer (${data.outage}). ${STOOD}`;
    else if (data.away) said = document.querySelector("[data-outage]") ? "" : FILES;
    else said = data.trouble ? `The page cannot follow the jobs (${data.trouble}). ${STOOD}` : "";
    if (said || before) show(said);
    if (!data.many && !data.counts && !Object.keys(data.jobs).length) return;
    if (document.hidden) stale = true;
    else tell(data);
  }

  function anything() {
    stale = false;
    tell({ jobs: {}, counts: null, many: true });
  }

  /* -- whether the stream is there ------------------------------------------------------------------------------- */

  let lostTimer = 0;

  function note(isThere) {
    if (isThere) {
      clearTimeout(lostTimer);
      lostTimer = 0;
      show("");
    } else if (!lostTimer) lostTimer = setTimeout(() => show(LOST), PATIENCE_MS);
  }

  function show(text) {
    const place = document.getElementById("live");
    if (!place || place.textContent === text) return;
    place.textContent = text;
    place.className = text ? "notice" : "hidden";
  }

  /* -- the tab that reads ---------------------------------------------------------------------------------------- */

  function open() {
    source = new EventSource(`${URL_OF_STREAM}?after=${encodeURIComponent(last)}`);
    source.onopen = () => isThere(true);
    source.onerror = () => {
      isThere(false);
      if (source && source.readyState === EventSource.CLOSED) { // refused: the browser itself does not try again
        close();
        setTimeout(check, AGAIN_MS);
      }
    };
    for (const name of ["jobs", "reload"]) source.addEventListener(name, hear);
  }

  function close() {
    if (source) source.close();
    source = null;
  }

  function isThere(found) {
    note(found);
    say({ kind: "there", found });
  }

  function hear(event) {
    const data = JSON.parse(event.data);
    take(event.lastEventId, data);
    say({ kind: "jobs", id: event.lastEventId, data });
  }

  async function check() {
    if (!leads) return;
    const isShown = locks ? (await locks.query()).held.some((lock) => lock.name === SHOWN) : !document.hidden;
    if (isShown && !source) open();
    else if (!isShown) close();
  }

  function lead() {
    leads = true;
    check();
    setInterval(check, CHECK_MS); // a tab that crashed has not said that it is gone
    return new Promise(() => {}); // until the tab goes
  }

  /* -- all tabs -------------------------------------------------------------------------------------------------- */

  /* A visible tab holds a shared lock, so that it counts no longer when it has crashed. */
  function claim() {
    if (!locks || document.hidden || hides) return;
    hides = () => {};
    locks.request(SHOWN, { mode: "shared" }, () => {
      looked();
      return document.hidden ? null : new Promise((resolve) => { hides = resolve; });
    }).then(() => {
      hides = null;
      looked();
      claim(); // it may be visible again
    });
  }

  function looked() {
    say({ kind: "looked", id: last });
    check();
  }

  function heard({ data: message }) {
    if (message.kind === "jobs") take(message.id, message.data);
    else if (message.kind === "there") note(message.found);
    else if (message.kind === "looked" && leads) {
      check();
      if (isLater(last, message.id)) say({ kind: "at", id: last });
    } else if (message.kind === "at" && isLater(message.id, last)) { // this tab came late
      last = message.id;
      if (document.hidden) stale = true;
      else anything();
    }
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden && hides) hides();
    claim();
    check();
    if (!document.hidden && stale) anything();
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    check();
    anything();
  });
  window.addEventListener("pagehide", close);

  waitForCalm();
  if (locks) {
    channel.onmessage = heard;
    claim();
    locks.request(LEADS, lead);
  } else lead();
})();
