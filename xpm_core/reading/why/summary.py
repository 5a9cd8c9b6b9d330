"""Sums up all jobs that wait, by reason."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from xpm_core.reading.jobs import JobReader
from xpm_core.reading.server import server_time
from xpm_core.reading.why.facts import Line, Page, damage, page_of
from xpm_core.reading.why.order import Ordered
from xpm_core.reading.why.records import Group, Summary
from xpm_core.states import State
from xpm_core.store import keys, scripts
from xpm_core.store.replies import text_of
from xpm_core.words.reasons import Code
from xpm_core.words.reasons_in_line import AboutToStart, InLine
from xpm_core.words.reasons_of_jobs import Retry, Unknown
from xpm_core.words.text import span

if TYPE_CHECKING:
    from redis import Redis

LINES = 100
"""Lines that are read in one round trip."""


class SummaryReader:
    """Reads all that waits in one workspace. The arguments are those of `Reader`."""

    def __init__(self, client: Redis, workspace_id: str) -> None:
        self._client, self._w = client, workspace_id

    def read(self) -> Summary:
        """Sum up all jobs that wait. The jobs of a line ask for the same, so the reason of its head holds for all."""
        groups: dict[tuple[Code, str, str], Group] = {}
        for group in (*self._ready(), *self._others()):
            key = (group.code, group.queue, group.text)
            known = groups.get(key)
            groups[key] = group if known is None else _joined(known, group)
        ordered = sorted(groups.values(), key=lambda group: (group.code.place, -group.jobs))
        return Summary(server_time(self._client), tuple(ordered))

    def _ready(self) -> Iterator[Group]:
        seen, problems = 0, {}
        for queue in sorted(map(text_of, self._client.smembers(keys.queues(self._w)))):
            try:
                for group in self._queue(queue):
                    seen += group.jobs
                    yield group
            except ResponseError as error:
                problems[queue] = damage(error)
        for queue, problem in problems.items():
            left = JobReader(self._client, self._w).counts()[State.READY] - seen
            yield Group(Code.UNKNOWN, str(Unknown(problem)), max(left, 0), queue)
            seen += max(left, 0)

    def _queue(self, queue: str) -> Iterator[Group]:
        start, more = 0, True
        while more:
            arguments = [self._w, queue, start, LINES]
            page = page_of(scripts.run(self._client, "waits", [keys.lines(self._w, queue)], arguments))
            for line in page.lines:
                yield from self._line(line, queue, page)
            start, more = start + LINES, page.more

    def _line(self, line: Line, queue: str, page: Page) -> Iterator[Group]:
        """The reason of a line's head, which holds for the whole line. If the head runs next, the others come later."""
        ordered = Ordered(line.prospects, self._w, queue, page.now_s, lambda task, started_s: None)
        reason = next(chain(ordered.lasting(page.suspended, page.pause), ordered.passing()), None)
        if reason is not None:
            yield Group(reason.code, str(reason), line.jobs, queue, line.head, reason)
            return
        following = ordered.next() or Unknown("its workers cannot be read")
        if not isinstance(following, AboutToStart):
            yield Group(following.code, str(following), line.jobs, queue, line.head, following)
            return
        yield Group(Code.ABOUT_TO_START, str(AboutToStart()), 1, queue, line.head, following)
        if line.jobs > 1:
            yield Group(Code.IN_LINE, str(InLine()), line.jobs - 1, queue, "", InLine())

    def _others(self) -> Iterator[Group]:
        counts = JobReader(self._client, self._w).counts()
        if jobs := counts[State.BLOCKED]:
            yield Group(Code.BLOCKED, "they need jobs that failed or were cancelled", jobs)
        if jobs := counts[State.WAITING]:
            yield Group(Code.DEPENDENCY, "they need jobs that are not done", jobs)
        if jobs := counts[State.DELAYED]:
            first: Any = self._client.zrange(keys.delayed(self._w), 0, 0, withscores=True)
            identity, due_ms = first[0] if first else (b"", 0.0)
            left_s = max(due_ms / 1000 - server_time(self._client), 0.0)
            text = f"they failed, and are tried again; the first in {span(left_s)}"
            yield Group(Code.RETRY, text, jobs, "", text_of(identity), Retry(left_s))


def _joined(one: Group, other: Group) -> Group:
    return Group(one.code, one.text, one.jobs + other.jobs, one.queue, one.example or other.example, one.reason)
