"""The page in Chromium: first paint, events on their way to the screen, eight tabs, bytes, CPU time and memory.

The page is served by `xpm ui`, as people start it. Jobs reach the server by the scripts of all jobs; no code runs.
"""

from __future__ import annotations

import http.client
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import peers
import psutil
from commands import PROGRAM, Filled, identity_of
from harness import PAIRS, ROOT, Limit, Row, Size, percentile
from place import Place

from xpm_core.states import State
from xpm_core.store.jobs import new_execution_id
from xpm_core.store.records import WorkerId

TITLE = "Page"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TABS = 8
BUSY_S, RATE = 20.0, 20
"""How long the page's process is watched while so many jobs a second start and end."""
EVENTS, BATCH = 3_600_000, 200
"""Events that one tab takes in, and how many of them come at once."""

WATCH = """() => {
  window.seen = {};
  new MutationObserver(() => {
    for (const row of document.querySelectorAll("tr[data-job]"))
      window.seen[row.dataset.job + " " + row.className.split(" ")[0]] ??= Date.now();
  }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
}"""
"""Notes when a row first has a state."""
FLOOD = """async ([rows, others, count]) => {
  const states = ["ready", "running", "done"];
  for (let turn = 0; turn < count; turn++) {
    const jobs = {};
    for (const identity of others) jobs[identity] = states[turn % 3];
    for (const identity of rows) jobs[identity] = states[turn % 3];
    document.dispatchEvent(new CustomEvent("xpm:jobs", { detail: { jobs, counts: { done: turn }, many: false } }));
    if (turn % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
}"""
"""Hands events to the scripts of the page, as live.js does."""


def rows(size: Size) -> list[Row]:
    """All rows; the machine has to be quiet."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        return [Row("page in a browser", absent="no Chromium")]
    from playwright.sync_api import sync_playwright

    few, many = 10_000, size.of(100_000, 20_000)
    with Place() as place, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        with Served(place, few) as small, Served(place, many) as large:
            found = [
                *_paints(browser, small, large),
                *_events(browser, large, size.of(60, 20)),
                _bytes(small, size.of(50, 20)),
                *_load(browser, large),
                _growth(browser, small, size.of(EVENTS, EVENTS // 10)),
            ]
        browser.close()
    return found


class Served:
    """A workspace with many jobs, and `xpm ui` that serves it.

    Args:
        place: Where.
        jobs: How many jobs it has.
    """

    def __init__(self, place: Place, jobs: int) -> None:
        self.jobs, self._url = jobs, place.url
        self.folder = place.folder(f"page-{jobs}")
        self.filled = Filled(place.url, self.folder)
        self.filled.fill(jobs)
        self._worker = WorkerId("bench.1", "bench", lease_s=3600)
        self.filled.store.join(self._worker, pid=1, path=self.folder, version="0")

    def __enter__(self) -> Served:
        own = {name: value for name, value in os.environ.items() if name not in peers.FOREIGN}
        words = [sys.executable, "-c", PROGRAM, "ui", "--port", "0", "--no-open"]
        environment = {**own, "PYTHONPATH": str(ROOT), "XPM_WORKSPACE": self.folder, "XPM_REDIS_URL": self._url}
        self.process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address = next(line.split()[-1] for line in self.process.stdout if "http://" in line)
        parts = urlsplit(self.address)
        self.origin, self.port = f"{parts.scheme}://{parts.netloc}", parts.port
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def start(self) -> Any:
        """Let the next job start; returns its lease."""
        lease = self.filled.store.claim(self._worker, new_execution_id()).lease
        assert lease is not None
        return lease

    def end(self, lease: Any) -> None:
        """Let it be done."""
        self.filled.store.finish(self._worker, lease, State.DONE)

    @contextmanager
    def visited(self, browser: Any) -> Iterator[Any]:
        """A browser that has opened the printed address."""
        context = browser.new_context()
        page = context.new_page()
        page.goto(self.address)
        page.goto(f"{self.origin}/jobs")  # until then, the jobs are being listed
        page.wait_for_selector("tr[data-job]")
        try:
            yield context
        finally:
            context.close()


def _paints(browser: Any, small: Served, large: Served) -> list[Row]:
    """Until the list of jobs first stands on the screen, as the browser says it; turn by turn."""
    found: dict[int, list[float]] = {small.jobs: [], large.jobs: []}
    with small.visited(browser) as few, large.visited(browser) as many:
        for turn in range(PAIRS + 1):
            for served, context in ((small, few), (large, many)):
                page = context.new_page()
                page.goto(f"{served.origin}/jobs")
                page.wait_for_selector("tr[data-job]")
                paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
                if turn:
                    found[served.jobs].append(paint)
                page.close()
    return [
        Row(f"page: first paint, {small.jobs} jobs", unit="ms", ours=found[small.jobs], limit=Limit("<=", 1000)),
        Row(
            f"page: first paint, {large.jobs} jobs", f"{small.jobs} jobs", "ms", found[large.jobs], found[small.jobs],
            Limit("<=", 1.3),
        ),
    ]  # fmt: skip


def _events(browser: Any, served: Served, count: int) -> list[Row]:
    """From the call that lets a job end to the row that says so: in one tab, and in the last of eight."""
    one: list[float] = []
    last: list[float] = []
    with served.visited(browser) as context:
        for tabs, found in ((1, one), (TABS, last)):
            leases = [served.start() for _ in range(count)]
            pages = context.pages[:1]
            while len(pages) < tabs:
                pages.append(context.new_page())
            for page in pages:
                page.set_viewport_size(
                    {"width": 1200, "height": 40 * count}
                )  # rows out of view wait until they are seen
                _show(page, f"{served.origin}/jobs?filter=state!%3Dfailed", leases)  # failed jobs fill the first page
                page.evaluate(WATCH)
            time.sleep(2)  # the stream is open
            for lease in leases:
                began_ms = time.time() * 1000
                served.end(lease)
                found.append(max(_seen_ms(page, f"{lease.identity} done") for page in pages) - began_ms)
                time.sleep(random.uniform(0.3, 0.7))
    return [
        Row("page: event to screen, p50", unit="ms", ours=[percentile(one, 0.5)], limit=Limit("<=", 250)),
        Row("page: event to screen, p95", unit="ms", ours=[percentile(one, 0.95)]),
        Row(f"page: event to the last of {TABS} tabs, p50", unit="ms", ours=[percentile(last, 0.5)]),
    ]


def _show(page: Any, url: str, leases: Sequence[Any]) -> None:
    """Load the list until it has the rows of these jobs: they may have started while it was made."""
    wanted = [lease.identity for lease in leases]
    for _ in range(20):
        page.goto(url)
        page.wait_for_selector("tr[data-job]")
        if page.evaluate(
            "ids => ids.every((each) => document.getElementById(`job-${each}`)?.className === 'running')", wanted
        ):
            return
    raise RuntimeError("the jobs that run are not in the list")


def _seen_ms(page: Any, key: str) -> float:
    """When a row first had a state; waits for that."""
    deadline = time.monotonic() + 30
    while not (found := page.evaluate("key => window.seen[key]", key)):
        if time.monotonic() > deadline:
            raise RuntimeError(f"not on the screen within 30 s: {key}")
        page.wait_for_timeout(10)
    return float(found)


def _bytes(served: Served, count: int) -> Row:
    """What the stream sends for an event of one job."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    connection.request("GET", urlsplit(served.address).path + "?" + urlsplit(served.address).query)
    answer = connection.getresponse()
    answer.read()
    cookie = str(answer.getheader("set-cookie")).partition(";")[0]
    connection.request("GET", "/live", headers={"Cookie": cookie})
    stream, sizes = connection.getresponse(), []
    while len(sizes) < count:
        lease = served.start()
        text = b""
        while b"data:" not in text or lease.identity.encode() not in text:
            text = _event(stream)
        sizes.append(float(len(text)))
        served.end(lease)
        while b"done" not in text or lease.identity.encode() not in text:
            text = _event(stream)
        sizes.append(float(len(text)))
    connection.close()
    return Row("page: bytes of an event of one job", unit="bytes", ours=[percentile(sizes, 0.5)])


def _event(stream: Any) -> bytes:
    found = b""
    while not found.endswith(b"\n\n"):
        found += stream.readline()
    return found


def _load(browser: Any, served: Served) -> list[Row]:
    """The share of the machine's CPU time that the page's process takes while jobs start and end, and one tab looks."""
    process = psutil.Process(served.process.pid)
    stop = threading.Event()

    def work() -> None:
        with suppress(AssertionError):  # no job is ready any more
            while not stop.wait(1 / RATE):
                served.end(served.start())

    with served.visited(browser):
        worker = threading.Thread(target=work)
        worker.start()
        time.sleep(2)
        before, began = process.cpu_times(), time.monotonic()
        time.sleep(BUSY_S)
        after, wall_s = process.cpu_times(), time.monotonic() - began
        stop.set()
        worker.join()
    used_s = after.user + after.system - before.user - before.system
    share = 100 * used_s / (wall_s * (os.cpu_count() or 1))
    return [
        Row(f"page: share of the machine's CPU, {RATE} jobs/s, {served.jobs} jobs", unit="%", ours=[share],
            limit=Limit("<=", 2)),
        Row(f"page: memory of its process, {served.jobs} jobs", unit="MB", ours=[process.memory_info().rss / 1e6]),
    ]  # fmt: skip


def _growth(browser: Any, served: Served, events: int) -> Row:
    """How much the memory of a tab grows over many events, after the garbage was collected."""
    with served.visited(browser) as context:
        (page,) = context.pages
        session = context.new_cdp_session(page)
        on_page = page.evaluate("[...document.querySelectorAll('tr[data-job]')].slice(0, 20).map(r => r.dataset.job)")
        others = [identity_of(number) for number in range(served.jobs - BATCH, served.jobs - len(on_page))]

        def heap() -> float:
            page.wait_for_timeout(2000)  # rows that were asked for have come
            session.send("HeapProfiler.collectGarbage")
            return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6

        page.evaluate(FLOOD, [on_page, others, 500])
        before = heap()
        page.evaluate(FLOOD, [on_page, others, events // BATCH])
        grown = heap() - before
    return Row(f"page: growth of a tab's memory over {events} events", unit="MB", ours=[grown], limit=Limit("<=", 1))
