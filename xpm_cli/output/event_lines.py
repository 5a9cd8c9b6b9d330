"""What has happened, an event a line: for people and for programs.

Owns: which facts of an event people see, and the fields that programs get (docs/reference/json.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import click

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.json_form import dumps, moment
from xpm_cli.output.terminal import COLOURS, Terminal, pad
from xpm_core.labels import bare_class, short
from xpm_core.reading.events import Record
from xpm_core.states import Event, State
from xpm_core.store.replies import shown
from xpm_core.words.text import ago, line

LONGEST_DETAIL = 100
"""Characters of an error or of a message that a line has on a terminal."""
LEAST_DETAIL = 20
"""Characters to which the details are cut before they are left out."""
WHEN, WHAT, WHO = 8, max(len(each.value) for each in Event), 7
"""Columns that the time, the event and the identity take while events are followed."""


@dataclass
class EventLines:
    """Writes events.

    Attributes:
        opened: The workspace.
    """

    opened: OpenWorkspace
    _titles: dict[str, str] = field(default_factory=dict)

    def table(self, records: Sequence[Record], terminal: Terminal) -> list[str]:
        """The lines of a table, with how long ago each was."""
        self._learn(records)
        now_s = self.opened.now_s
        rows = [["WHEN", "EVENT", "ID", "JOB"]]
        rows += [[ago(now_s - each.at_s), _word(each), short(each.job) or "-", self._who(each)] for each in records]
        details = ["DETAILS", *map(_detail, records)]
        if terminal.width is not None:
            room = max(terminal.room_beside(rows), LEAST_DETAIL)
            details = [line(text, room) for text in details]
        return terminal.table([[*row, text] for row, text in zip(rows, details, strict=True)])

    def followed(self, records: Sequence[Record], terminal: Terminal) -> list[str]:
        """The lines of events that have just happened, with the time of each by this machine's clock."""
        self._learn(records)
        return [terminal.text(self._followed(each).rstrip()) for each in records]

    def _followed(self, record: Record) -> str:
        clock = f"{datetime.fromtimestamp(record.at_s):%H:%M:%S}"
        parts = [pad(clock, WHEN), pad(_word(record), WHAT), pad(short(record.job) or "-", WHO), self._who(record)]
        return "  ".join([*parts, line(_detail(record), LONGEST_DETAIL)])

    def _learn(self, records: Iterable[Record]) -> None:
        """Learn how people call the jobs of these events: by the index, or by the server if they are new."""
        new = {each.job for each in records if each.job} - self._titles.keys()
        if not new:
            return
        self._titles.update((row.identity, self.opened.title(row)) for row in self.opened.view.rows(new))
        self._titles.update(
            (job.identity, job.title) for job in self.opened.reader.jobs.read(new - self._titles.keys())
        )

    def _who(self, record: Record) -> str:
        """The job as people know it; of a worker's event, the worker; of a queue's event, the queue."""
        other = record.worker or shown(record.data.get("queue", ""))
        return self._titles.get(record.job) or bare_class(record.task) or other or "?"


def _word(record: Record) -> str:
    word = record.event.value
    as_state = State.RUNNING.value if record.event is Event.STARTED else word
    colour = COLOURS.get(State(as_state)) if as_state in {each.value for each in State} else None
    return click.style(word, fg=colour)


def _detail(record: Record) -> str:
    """What people want to know of an event besides the job."""
    data, parts = record.data, []
    if record.event is Event.STARTED:
        attempt = f", attempt {data['attempt']}" if data.get("attempt", "1") != "1" else ""
        parts.append(f"on {record.worker}{attempt}")
    elif record.event is Event.PROGRESS:
        fraction = record.said.get("fraction")
        percent = f"{fraction:.0%}" if isinstance(fraction, (int, float)) else ""
        parts += [percent, str(record.said.get("desc") or "")]
    elif record.event is Event.OUTPUT:
        parts.append(dumps(record.said, indent=None))
    elif record.event is Event.BLOCKED and data.get("root"):
        parts.append(f"needs {short(data['root'])}")
    elif record.event is Event.WORKER_ORDERED:
        parts.append(data.get("order", "").replace("stop_now", "stop --now"))
    if by := data.get("by"):
        parts.append(f"by {shown(by)}{f': {shown(why)}' if (why := data.get('why')) else ''}")
    if error := record.error:
        parts.append(f"{bare_class(str(error.get('type', '')))}: {error.get('message', '')}")
    if due := data.get("due"):
        parts.append(f"again at {datetime.fromtimestamp(int(due) / 1000):%H:%M:%S}")
    if reason := data.get("reason"):
        parts.append(f"({reason})")
    return " ".join(" ".join(filter(None, parts)).split())


def event_record(record: Record) -> dict[str, Any]:
    """The record of an event for programs. A fact that there is none of is null."""
    data = record.data
    return {
        "cursor": record.cursor,
        "time": moment(record.at_s),
        "event": record.event.value,
        "job": record.job or None,
        "task": record.task or None,
        "execution": record.execution or None,
        "worker": record.worker or None,
        "attempt": int(data["attempt"]) if data.get("attempt") else None,
        "due": moment(int(data.get("due") or 0) / 1000),
        "blocked_by": data.get("root") or None,
        "reason": data.get("reason") or None,
        "error": record.error or None,
        "said": record.said or None,
        "queue": data.get("queue") or None,
        "order": data.get("order") or None,
        "by": data.get("by") or None,
        "why": data.get("why") or None,
    }
