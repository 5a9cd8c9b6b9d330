/* Charts of metrics: each element with `data-curve` is drawn from the data that this URL has (or from the element of that
 * id, if it begins with "#").
 *
 * Owns: how a curve looks. A line is the mean of all runs, with its band. Where fewer runs count, it is dotted and has no
 * band: else it would move only because a run is missing. Colours are those of charts.css. Texts of jobs are only ever
 * put as text.
 *
 * Charts that are on the screen are read again on "xpm:jobs", and while a job of theirs goes on; each at most every five
 * seconds, and one at a time.
 */
(() => {
  "use strict";

  if (!window.uPlot) return;

  const EVERY_MS = 5000, READING_MS = 300, COLOURS = 10, LEAST_WIDTH = 220, FEW = 12;
  const WHOLE = [...Array(15).keys()].flatMap((power) => [1, 2, 5].map((part) => part * 10 ** power)); // between ticks
  const DASHES = [[], [9, 4], [3, 3], [10, 3, 2, 3]], DOTTED = [1, 4];
  const charts = new Map(); // by their elements
  let turn = Promise.resolve(); // one reading after the other, for a browser has six connections to a host

  /* -- small pieces ---------------------------------------------------------------------------------------------- */

  function made(name, about = {}, ...inside) {
    const found = document.createElement(name);
    for (const [key, value] of Object.entries(about)) found.setAttribute(key, value);
    found.append(...inside);
    return found;
  }

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#808080";
  }

  function written(value) {
    if (value === null || value === undefined) return "–";
    if (value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-4)) return value.toExponential(3);
    return String(Number(value.toPrecision(5)));
  }

  /* The place of the step in a list that lies next to a step. */
  function nearest(steps, step) {
    let low = 0, high = steps.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (steps[middle] < step) low = middle + 1;
      else high = middle;
    }
    return low > 0 && step - steps[low - 1] <= steps[low] - step ? low - 1 : low;
  }

  /* The sign of a curve in the legend: its colour and its dashes. */
  function sign(at) {
    return made("span", { class: `sign curve-${at % COLOURS} dash-${Math.floor(at / COLOURS) % DASHES.length}`, "aria-hidden": "true" });
  }

  /* -- what is drawn --------------------------------------------------------------------------------------------- */

  /* A curve in four lines: where all runs count, where fewer do, and where its band begins and ends. */
  function parted(curve, logX, logY) {
    const keep = curve.step.map((step, at) => !logX || step > 0);
    const drawn = (values) => values.filter((_, at) => keep[at]).map((value) => (value !== null && logY && value <= 0 ? null : value));
    const steps = curve.step.filter((_, at) => keep[at]), counts = curve.count.filter((_, at) => keep[at]);
    const values = drawn(curve.value), whole = counts.map((count) => count === curve.n);
    const solid = values.map((value, at) => (whole[at] ? value : null));
    const dotted = values.map((value, at) => (!whole[at] || whole[at - 1] === false || whole[at + 1] === false ? value : null));
    const band = (ends) => (ends ? drawn(ends).map((end, at) => (whole[at] ? end : null)) : steps.map(() => null));
    return [steps, solid, dotted, band(curve.low), band(curve.high)];
  }

  /* The places at which a dot is drawn: all, if there are few; else those that no line reaches. */
  function dotted(plot, series) {
    const values = plot.data[series], own = [];
    for (let at = 0; at < values.length; at++) if (values[at] !== undefined) own.push(at);
    const isGap = (place) => place === undefined || values[place] === null;
    return own.filter((at, place) => values[at] !== null && (own.length <= FEW || (isGap(own[place - 1]) && isGap(own[place + 1]))));
  }

  function left(curves, logX, logY) {
    let count = 0;
    for (const curve of curves)
      for (let at = 0; at < curve.step.length; at++)
        if ((logX && curve.step[at] <= 0) || (logY && curve.value[at] !== null && curve.value[at] <= 0)) count++;
    return count;
  }

  class Chart {
    constructor(place) {
      this.place = place;
      this.url = place.dataset.curve;
      this.data = null;
      this.plot = null;
      this.hides = new Set(); // the names of curves that are switched off
      this.logX = this.logY = this.zoomed = false;
      this.at = null; // the step that is looked at
      this.readAt = 0;
      this.timer = 0;
      this.isSeen = false;
      this.build();
    }

    build() {
      this.message = made("p", { role: "status", class: "muted" }, "Reading …");
      this.drawing = made("div", { class: "plot" });
      this.said = made("p", { class: "hidden", "aria-live": "polite" });
      this.legend = made("div", { class: "legend scroll" });
      this.notes = made("ul", { class: "notes" });
      const box = (label, change) => {
        const input = made("input", { type: "checkbox" });
        input.addEventListener("change", () => { change(input.checked); this.draw(); });
        return made("label", {}, input, ` ${label}`);
      };
      this.switches = made("div", { class: "switches" },
        box("logarithmic steps", (on) => { this.logX = on; }), box("logarithmic values", (on) => { this.logY = on; }));
      this.switches.hidden = true;
      this.place.replaceChildren(this.message, this.switches, this.drawing, this.said, this.legend, this.notes);
      this.place.tabIndex = 0;
      this.place.addEventListener("keydown", (event) => this.key(event));
    }

    /* -- reading -- */

    async read() {
      this.readAt = Date.now();
      if (this.url.startsWith("#")) {
        this.take(JSON.parse(document.getElementById(this.url.slice(1)).textContent));
        return;
      }
      const version = this.data && this.data.version && !this.drawing.hidden ? `&version=${encodeURIComponent(this.data.version)}` : "";
      let answer, data;
      try {
        answer = await fetch(this.url + version, { headers: { Accept: "application/json" } });
        if (answer.status === 204) return this.later();
        data = await answer.json();
      } catch {
        return this.later(true); // the page is away; live.js says it
      }
      if (answer.ok) this.take(data);
      else this.fail(data.error || `The page answers ${answer.status}.`);
    }

    /* Say what is wrong. What was drawn before is not what is asked for now, so it is not shown. */
    fail(text) {
      this.show(false);
      this.message.textContent = text;
      this.message.className = "wrong";
      this.message.hidden = false;
    }

    show(on) {
      for (const each of [this.switches, this.drawing, this.legend, this.notes]) each.hidden = !on;
    }

    take(data) {
      this.message.className = "muted";
      if (data.unread) {
        this.message.hidden = false;
        this.message.textContent = `${data.jobs - data.unread} of ${data.jobs} jobs read. Means are shown when all are.`;
        this.readAt = 0;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.want(), READING_MS);
        return;
      }
      this.message.hidden = true;
      this.show(true);
      this.data = data;
      this.draw();
      this.later();
    }

    later(failed = false) {
      clearTimeout(this.timer);
      if (failed || (this.data && this.data.live)) this.timer = setTimeout(() => this.want(), EVERY_MS);
    }

    /* Read soon, if it is looked at: not before five seconds after the last time. */
    want() {
      if (!this.isSeen || document.hidden || !this.place.isConnected) return;
      clearTimeout(this.timer);
      const rest = this.readAt + EVERY_MS - Date.now();
      if (rest > 0) this.timer = setTimeout(() => this.want(), rest);
      else turn = turn.then(() => this.read()).catch(() => {});
    }

    /* -- drawing -- */

    draw() {
      if (!this.data) return;
      const curves = this.data.curves, shown = curves.length ? uPlot.join(curves.map((curve) => parted(curve, this.logX, this.logY))) : [[]];
      const kind = JSON.stringify([curves.map((curve) => curve.name), this.logX, this.logY]);
      if (this.plot && this.kind === kind) {
        this.plot.setData(shown, !this.zoomed);
        if (this.zoomed) this.plot.redraw();
      } else {
        this.forget();
        this.kind = kind;
        if (curves.length) this.plot = new uPlot(this.options(curves), shown, this.drawing);
      }
      this.tell();
      this.list();
    }

    forget() {
      if (this.plot) this.plot.destroy();
      this.plot = null;
      this.zoomed = false;
    }

    width() {
      return Math.max(this.drawing.clientWidth || this.place.clientWidth, LEAST_WIDTH);
    }

    options(curves) {
      const text = colour("--muted"), line = colour("--line");
      const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "12px system-ui, sans-serif" };
      const series = [{}], bands = [];
      curves.forEach((curve, at) => {
        const stroke = colour(`--curve-${at % COLOURS}`), first = series.length, show = !this.hides.has(curve.name);
        const dash = DASHES[Math.floor(at / COLOURS) % DASHES.length], edge = { show, width: 0, points: { show: false } };
        series.push({ show, stroke, width: 2, dash, points: { size: 5, show: true, filter: dotted } }, { show, stroke, width: 1.5, dash: DOTTED, points: { show: false } }, edge, { ...edge });
        bands.push({ series: [first + 3, first + 2], fill: `${stroke}38` });
      });
      const isSmall = this.place.closest(".small") !== null, isWhole = !this.logX && curves.every((curve) => curve.step.every(Number.isInteger));
      return {
        width: this.width(), height: isSmall ? 190 : 320, series, bands, legend: { show: false },
        scales: { x: { time: false, distr: this.logX ? 3 : 1 }, y: { distr: this.logY ? 3 : 1 } },
        axes: [{ ...axis, size: 34, ...(isWhole ? { incrs: WHOLE } : {}) }, { ...axis, size: 64 }],
        cursor: { y: false, points: { show: (plot, at) => (at % 4 === 1 ? undefined : false) } },
        hooks: {
          setCursor: [(plot) => this.look(plot.cursor.idx == null ? null : plot.data[0][plot.cursor.idx])],
          setSelect: [(plot) => { this.zoomed = this.zoomed || plot.select.width > 0; }],
          ready: [(plot) => plot.over.addEventListener("dblclick", () => { this.zoomed = false; })],
        },
      };
    }

    /* -- what stands below -- */

    tell() {
      const data = this.data, notes = [...(data.caption ? [data.caption] : []), ...data.notes];
      const count = left(data.curves, this.logX, this.logY);
      if (count) notes.unshift(`${count} points at or below 0 have no place on a logarithmic axis.`);
      this.notes.replaceChildren(...notes.map((note) => made("li", {}, note)));
    }

    list() {
      const hasBands = this.data.curves.some((curve) => curve.low), hasCounts = this.data.curves.some((curve) => curve.n > 1);
      this.head = made("th", { scope: "col" });
      const heads = [made("th", { scope: "col" }, "curve"), this.head];
      if (hasBands) heads.push(made("th", { scope: "col" }, "band"));
      if (hasCounts) heads.push(made("th", { scope: "col" }, "runs"));
      this.cells = this.data.curves.map(() => ({ value: made("td", { class: "number" }), band: made("td", { class: "number" }), runs: made("td", { class: "number" }) }));
      const rows = this.data.curves.map((curve, at) => {
        const button = made("button", { type: "button", class: "plain", "aria-pressed": String(!this.hides.has(curve.name)), title: curve.name }, sign(at), made("span", { class: "name" }, curve.name || "all jobs"));
        button.addEventListener("click", () => this.toggle(at, button));
        const { value, band, runs } = this.cells[at];
        return made("tr", {}, made("th", { scope: "row" }, button), value, ...(hasBands ? [band] : []), ...(hasCounts ? [runs] : []));
      });
      const focused = [...this.legend.querySelectorAll("button")].indexOf(document.activeElement);
      this.legend.replaceChildren(made("table", {}, made("thead", {}, made("tr", {}, ...heads)), made("tbody", {}, ...rows)));
      if (focused >= 0) (this.legend.querySelectorAll("button")[focused] || this.place).focus();
      this.look(this.at);
    }

    toggle(at, button) {
      const name = this.data.curves[at].name, show = this.hides.has(name);
      if (show) this.hides.delete(name);
      else this.hides.add(name);
      button.setAttribute("aria-pressed", String(show));
      for (let line = 1; line <= 4; line++) this.plot.setSeries(4 * at + line, { show });
    }

    /* Show what the curves have at a step; without one, what they have at their last. */
    look(step) {
      this.at = step;
      if (!this.cells) return;
      this.head.textContent = step === null ? "last value" : `at step ${step}`;
      this.data.curves.forEach((curve, at) => {
        const place = step === null ? curve.step.length - 1 : nearest(curve.step, step), cells = this.cells[at];
        const isIn = place >= 0 && (step === null || (step >= curve.step[0] && step <= curve.step[curve.step.length - 1]));
        cells.value.textContent = isIn ? written(curve.value[place]) : "–";
        cells.runs.textContent = isIn ? (curve.count[place] === curve.n ? curve.n : `${curve.count[place]} of ${curve.n}`) : "–";
        const low = isIn && curve.low ? curve.low[place] : null, high = isIn && curve.high ? curve.high[place] : null;
        cells.band.textContent = low === null ? "–" : `${written(low)} to ${written(high)}`;
      });
    }

    /* -- keys -- */

    key(event) {
      if (event.target !== this.place || !this.plot || this.drawing.hidden || event.altKey || event.ctrlKey || event.metaKey) return;
      const steps = this.plot.data[0], now = this.at === null ? -1 : nearest(steps, this.at);
      const next = { ArrowLeft: Math.max(now < 0 ? steps.length - 1 : now - 1, 0), ArrowRight: Math.min(now + 1, steps.length - 1), Home: 0, End: steps.length - 1 }[event.key];
      if (next === undefined || !steps.length) return;
      event.preventDefault();
      this.plot.setCursor({ left: this.plot.valToPos(steps[next], "x"), top: 10 });
      this.look(steps[next]);
      this.said.textContent = `step ${written(steps[next])}: ${this.data.curves.slice(0, 5).map((curve, at) => `${curve.name || "all jobs"} ${this.cells[at].value.textContent}`).join(", ")}`;
    }
  }

  /* -- all charts of a page -------------------------------------------------------------------------------------- */

  const sight = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const chart = charts.get(entry.target);
      if (!chart) continue;
      const comes = entry.isIntersecting && !chart.isSeen;
      chart.isSeen = entry.isIntersecting;
      if (comes) chart.want();
    }
  }, { rootMargin: "200px" });

  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const chart = charts.get(target);
      if (chart && chart.plot && Math.abs(chart.plot.width - chart.width()) > 1) chart.plot.setSize({ width: chart.width(), height: chart.plot.height });
    }
  });

  function look() {
    for (const [place, chart] of charts) {
      if (place.isConnected) continue;
      chart.forget();
      clearTimeout(chart.timer);
      sight.unobserve(place);
      sizes.unobserve(place);
      charts.delete(place);
    }
    for (const place of document.querySelectorAll("[data-curve]")) {
      if (charts.has(place)) continue;
      charts.set(place, new Chart(place));
      sight.observe(place);
      sizes.observe(place);
    }
  }

  function all() {
    for (const chart of charts.values()) chart.want();
  }

  let isDue = false;
  new MutationObserver(() => { // fragments that were put into the page may have charts
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => { isDue = false; look(); });
  }).observe(document.getElementById("main") || document.body, { childList: true, subtree: true });
  document.addEventListener("xpm:jobs", all);
  document.addEventListener("visibilitychange", all);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const chart of charts.values()) { chart.kind = ""; chart.draw(); }
  });
  look();
})();
