"""The URLs of the views: each is written here, and nowhere else.

Owns: what a URL says. A view can be sent to a colleague by its URL.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, urlencode

ASSETS = Path(__file__).parent / "assets"
"""The scripts and styles."""


class Links:
    """URLs on the page.

    Args:
        along: The filter that goes with the user through views that show more than what matches it.

    Example:
        >>> Links().jobs("lr>0.1", sort="-started")
        '/jobs?filter=lr%3E0.1&sort=-started'
        >>> Links("lr>0.1").workers()
        '/workers?filter=lr%3E0.1'
    """

    def __init__(self, along: str = "") -> None:
        self._along = along

    def experiments(self) -> str:
        """The first view."""
        return _url("/", filter=self._along)

    def jobs(self, filter: str = "", *, sort: str = "", columns: str = "", first: int = 0) -> str:
        """The list of jobs that match a filter."""
        return _url("/jobs", filter=filter, sort=sort, columns=columns, first=first or "")

    def rows(self, filter: str = "", *, sort: str = "", columns: str = "", first: int = 0, after: str = "") -> str:
        """Some rows of that list, without the page around them: those at a place, or behind a mark."""
        return _url("/jobs/rows", filter=filter, sort=sort, columns=columns, first=first or "", after=after)

    def counts(self, filter: str = "") -> str:
        """How many jobs match a filter, by state, without the page around it."""
        return _url("/jobs/counts", filter=filter)

    def job(self, identity: str) -> str:
        """One job."""
        return _url(_job(identity), filter=self._along)

    def log(self, identity: str, stream: str = "", attempt: int | None = None, **place: object) -> str:
        """The log of a job; `place` says from where on, or what to look for (`job/printed.py`)."""
        given = {name: value for name, value in place.items() if value is not None}
        return _url(f"{_job(identity)}/log", stream=stream, attempt=attempt or "", **given, filter=self._along)

    def code(self, identity: str) -> str:
        """What of the code of a job has changed since it ran."""
        return _url(f"{_job(identity)}/code", filter=self._along)

    def file(self, identity: str, path: str) -> str:
        """A file in the directory of a job."""
        return f"{_job(identity)}/files/{quote(path)}"

    def compare(self, identities: Iterable[str]) -> str:
        """Some jobs side by side."""
        return _url("/compare", ids=",".join(identities), filter=self._along)

    def curves(self, metric: str = "", filter: str = "", *, all_but: str = "") -> str:
        """A metric over the steps; or the metrics of which one can be chosen."""
        return _url("/curves", metric=metric, filter=filter or (self._along if metric else ""), all_but=all_but)

    def curve_data(self, metric: str = "", filter: str = "", *, all_but: str = "", ids: Iterable[str] = ()) -> str:
        """What such curves are drawn from."""
        return _url("/curves/data", metric=metric, filter=filter, all_but=all_but, ids=",".join(ids))

    def results(self, filter: str = "", *, experiment: str = "", over: str = "") -> str:
        """The table of what jobs have reported."""
        return _url("/results", filter=filter, experiment=experiment, over=over)

    def table(self, ending: str) -> str:
        """That table as a file."""
        return f"/results/table.{ending}"

    def timeline(
        self,
        filter: str = "",
        *,
        from_s: float | None = None,
        to_s: float | None = None,
        lane: str = "",
        first: int = 0,
    ) -> str:
        """What each worker did when; or of a part of time (epoch seconds), of one worker, or of those from one on."""
        times = {"from": _seconds(from_s), "to": _seconds(to_s)}
        return _url("/timeline", filter=filter, **times, lane=lane, first=first or "")

    def graph(self, job: str = "", *, filter: str = "") -> str:
        """Which jobs need which: what one job hangs on, or the tasks of the jobs that match a filter."""
        return _url("/graph", job=job, filter=filter or (self._along if job else ""))

    def workers(self) -> str:
        """Workers, tokens and queues."""
        return _url("/workers", filter=self._along)

    def act(self, verb: str, filter: str = "", *, ids: Iterable[str] = ()) -> str:
        """The question whether to "cancel" or "retry" jobs."""
        return _url(f"/acting/{verb}", filter=filter, ids=",".join(ids))

    def answer(self, key: str) -> str:
        """What came of an act."""
        return _url(f"/acting/answer/{key}", filter=self._along)

    def steer(self, verb: str) -> str:
        """Where a form sends what it wants of a worker or a queue."""
        return _url(f"/acting/{verb}", filter=self._along)

    def asset(self, name: str) -> str:
        """A script or a style. The URL names its version, so that a browser may keep it."""
        return _url(f"/assets/{name}", v=_version(name))


def _job(identity: str) -> str:
    return f"/job/{quote(identity, safe=':')}"


@lru_cache
def _version(name: str) -> str:
    """What tells the content of a script or a style from earlier ones; empty if there is no such file."""
    try:
        return sha256((ASSETS / name).read_bytes()).hexdigest()[:8]
    except OSError:
        return ""


def _seconds(time_s: float | None) -> str:
    return "" if time_s is None else f"{time_s:.3f}".rstrip("0").rstrip(".")


def _url(path: str, **query: object) -> str:
    """A path with the parts of the query that are not empty."""
    given = {name: value for name, value in query.items() if value != ""}
    return f"{path}?{urlencode(given, errors='replace')}" if given else path
