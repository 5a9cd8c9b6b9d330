/* Parts of a page that are asked for again when something has changed.
 *
 * Owns: the page that says that the server is away, which is loaded again when the server is back; and elements with
 * `data-live`, which names the URL of their page. The new one, with the same id, takes the place of the old one, piece by
 * piece, so that the focus stays. The more an answer takes, the less often it is asked for. Now and then it is asked for
 * without an event: no event says that time goes on, or that a worker is silent.
 */
(() => {
  "use strict";

  const LEAST_MS = 1000, SHARE = 4, AGES_MS = 15000;
  let changed = false, busy = false;

  async function refresh() {
    if (busy || document.hidden) return;
    busy = true;
    while (changed && !document.hidden) {
      changed = false;
      const began = performance.now();
      for (const region of document.querySelectorAll("[data-live]")) await renew(region);
      await new Promise((done) => setTimeout(done, Math.max(LEAST_MS, SHARE * (performance.now() - began))));
    }
    busy = false;
  }

  function again() {
    changed = true;
    refresh();
  }

  async function renew(region) {
    try {
      const answer = await fetch(region.dataset.live, { headers: { "HX-Request": "true" } });
      const text = answer.ok ? await answer.text() : "";
      if (!text.includes(`id="${region.id}"`) || !region.isConnected) return;
      await htmx.swap({ text, target: region, sourceElement: region, select: `#${region.id}`, swap: "outerMorph" });
    } catch (error) {
      changed = false; // no connection; the stream says so, and then that it is back
    }
  }

  document.addEventListener("xpm:calm", again);
  document.addEventListener("xpm:jobs", () => {
    if (document.querySelector("[data-outage]")) window.location.reload();
    again();
  });
  document.addEventListener("visibilitychange", refresh); // what was left when the tab was hidden
  setInterval(again, AGES_MS);
})();
