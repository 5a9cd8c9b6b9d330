"""What needs what, for graphs: by the parameters in the index, by the server, and by some directories.

A parameter that is another job says so in the index, for all jobs, at no cost. Jobs may need others that are no
parameters of theirs: the server says it of jobs that are not done, a job's directory of done ones. Of these, some of
each task are asked.

Owns: which jobs are asked, and what counts as known.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from xpm_core.errors import XpmError
from xpm_core.labels import bare_class, label
from xpm_core.reading.listing.row import JobRow
from xpm_core.server.connection import OUTAGES
from xpm_core.states import State

if TYPE_CHECKING:
    from xpm_core.filters import Filter
    from xpm_core.reading.look import View

ASKED, OPENED = 20, 4
"""How many jobs of a task that are not done are asked for what they need, and of how many done ones the directory."""
DEPTH = 2
"""How far a graph goes up and down from a job."""
DEPENDENTS = 1000
"""Up to how many jobs that need a job are looked at."""

_AWAY: tuple[type[Exception], ...] = (XpmError, *OUTAGES)

Users = Mapping[str, list[str]]
"""The jobs that have a job as a parameter, by its identity."""


@dataclass
class Tasks:
    """The tasks of some jobs, and which need which.

    Attributes:
        states: How many jobs of each task are in each state.
        edges: From a task to one that needs it.
        outside: Tasks whose jobs do not match the filter, but are needed by some that do.
        asked: How many jobs were asked for needs that are no parameters.
        sampled: Whether these are only some.
        unsure: For how many jobs it is not known whether they match.
    """

    states: dict[str, Counter[State | None]] = field(default_factory=lambda: defaultdict(Counter))
    edges: set[tuple[str, str]] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    asked: int = 0
    sampled: bool = False
    unsure: int = 0


def by_task(view: View, wanted: Filter | None) -> Tasks:
    """The tasks of the jobs that match a filter, and what they need.

    Args:
        view: The workspace.
        wanted: The filter; None for all jobs.

    Raises:
        FilterError: The filter names what no job has.
    """
    ranking = view.ranked(wanted) if wanted is not None else None
    found = Tasks(unsure=ranking.unsure if ranking is not None else 0)
    rows = [row for row in view.known() if ranking is None or row.identity in ranking]
    inside = {row.identity for row in rows}
    known = {row.identity: row for row in view.known()}
    labels = _labels(known.values())
    needed: dict[tuple[str, str], None] = {}
    some: dict[str, list[JobRow]] = defaultdict(list)
    counts: Counter[tuple[str, bool]] = Counter()
    for row in rows:
        task = row.task or ""
        found.states[task][row.state] += 1
        done = row.state is State.DONE
        counts[task, done] += 1
        if counts[task, done] <= (OPENED if done else ASKED):
            some[task].append(row)
        for each in used_in(row.params):
            needed[each, task] = None
    ends = {(labels.get(each, ""), task) for each, task in needed}
    asked = [row for each in some.values() for row in each]
    for identity, needs in _needs(view, asked).items():
        ends |= {(need, known[identity].task or "") for need in needs or ()}
    found.asked, found.sampled = len(asked), len(asked) < len(rows)
    for identity, task in ends:
        if identity in known:
            found.edges.add((known[identity].task or "", task))
    _add_outside(found, {identity for identity, _ in ends} - inside, known)
    found.states = dict(found.states)
    return found


def _add_outside(found: Tasks, needed: Iterable[str], known: Mapping[str, JobRow]) -> None:
    """Add the tasks that are needed, and have no job that matches."""
    own = set(found.states)
    for identity in needed:
        row = known.get(identity)
        if row is not None and (row.task or "") not in own:
            found.states[row.task or ""][row.state] += 1
            found.outside.add(row.task or "")


def used_in(params: Mapping[str, Any] | None) -> Iterator[str]:
    """The labels of the jobs that are parameters: `Prepare/1d22f0a`."""
    for value in (params or {}).values():
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, dict) and len(each) == 1 and isinstance(used := each.get("job"), str):
                yield used


def _labels(rows: Iterable[JobRow]) -> dict[str, str]:
    """The identity of each job by its label. Two jobs of one label are as good as one: they are of one class."""
    return {_label(row): row.identity for row in rows}


def _label(row: JobRow) -> str:
    return label(bare_class(row.task or ""), row.identity)


def users_of(view: View) -> Users:
    """The jobs that have others as parameters.

    The index has the label of a parameter (`Prepare/1d22f0a`), which two of many jobs may share. A job with such a
    label is asked what it needs. If that is not known, it counts as a user of both.
    """
    named: dict[str, list[JobRow]] = defaultdict(list)
    labelled: dict[str, list[str]] = defaultdict(list)
    for row in view.known():
        labelled[_label(row)].append(row.identity)
        for used in dict.fromkeys(used_in(row.params)):
            named[used].append(row)
    twins = {used: labelled[used] for used in named if len(labelled.get(used, ())) > 1}
    unclear = {row.identity: row for used in twins for row in named[used]}
    needs = _needs(view, list(unclear.values())) if unclear else {}
    found: dict[str, list[str]] = defaultdict(list)
    for used, rows in named.items():
        for identity in labelled.get(used, ()):
            for row in rows:
                if used not in twins or not (known := needs.get(row.identity)) or identity in known:
                    found[identity].append(row.identity)
    return dict(found)


def _needs(view: View, rows: list[JobRow]) -> dict[str, list[str] | None]:
    """What some jobs need; nothing of those that cannot be read, because the server has just gone."""
    try:
        return view.needs(rows)
    except _AWAY:
        return {}


@dataclass
class Around:
    """What is around a job.

    Attributes:
        here: The job.
        rows: It, and those around it, those that are needed first.
        levels: How far each is from it; below 0 what it needs, above 0 what needs it.
        edges: From a job to one that needs it.
        left: How many further jobs there are.
        unknown: Of how many jobs it is not known what they need.
        guessed: Whether what needs it is known by parameters alone.
    """

    here: JobRow
    rows: list[JobRow] = field(default_factory=list)
    levels: dict[str, int] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    left: int = 0
    unknown: int = 0
    guessed: bool = False


def around(view: View, here: JobRow, users: Users, most: int) -> Around:
    """What a job needs, and what needs it, to a depth of two each.

    Args:
        view: The workspace.
        here: The job.
        users: Which jobs have which as parameters.
        most: How many jobs are returned at most, the nearest ones; of those that are as near, the first by identity.
    """
    found = Around(here, levels={here.identity: 0})
    edges: dict[tuple[str, str], None] = {}
    far: set[str] = set()
    for sign, next_of in ((-1, _above), (1, _below)):
        at = [here.identity]
        for depth in range(1, DEPTH + 1):
            beyond: dict[str, None] = {}
            for end, other in next_of(view, at, users, found):
                beyond[other] = None
                edges[(other, end) if sign < 0 else (end, other)] = None
            at = []
            for identity in sorted(beyond):
                if identity not in found.levels:
                    if len(found.levels) >= most:
                        far.add(identity)
                        continue
                    found.levels[identity] = sign * depth
                    at.append(identity)
    rows = {row.identity: row for row in view.rows(found.levels)}
    order = sorted(rows, key=lambda identity: (found.levels[identity], rows[identity].title, identity))
    found.rows = [rows[identity] for identity in order]
    found.edges = sorted((one, other) for one, other in edges if one in rows and other in rows)
    found.left = len(far - set(found.levels))
    return found


def _above(view: View, at: list[str], users: Users, found: Around) -> Iterator[tuple[str, str]]:
    """What some jobs need."""
    rows = list(view.rows(at))
    for identity, needs in _needs(view, rows).items():
        found.unknown += needs is None
        for need in needs or ():
            yield identity, need


def _below(view: View, at: list[str], users: Users, found: Around) -> Iterator[tuple[str, str]]:
    """What needs some jobs: by the server while it knows, and by parameters."""
    for row in view.known(at):
        listed = [] if view.away is not None else view.reader.jobs.dependents(row.identity)
        named = users.get(row.identity, [])
        found.guessed |= not listed and bool(named)
        for user in islice(dict.fromkeys([*listed, *named]), DEPENDENTS):
            yield row.identity, user
