"""What jobs waited for: other jobs, a pause after a failure, a token, a paused queue, or a free worker.

All that changed it is replayed in the order of the events: which jobs stood in line, which units were held, which
queues were paused. Between two events nothing changes, so each job that waits then waits for one thing.

What an event says of a job also says how it stood before: a job that starts stood in line since before the oldest
event. So waiting is counted from the oldest event on, and that is what the page says.

Not known: how many units a token had earlier (those of now count), and what other workspaces held.

Owns: the replay. It reads nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from xpm_cli.page.timeline.moves import TALK, Move
from xpm_core.states import Event


class Line(NamedTuple):
    """The jobs of one queue that ask for the same units."""

    queue: str
    demand: tuple[tuple[str, int], ...]


class Capacity(NamedTuple):
    """How many units a token has, and whether each machine has as many."""

    units: int
    each_host: bool


class Now(NamedTuple):
    """The jobs that wait for a retry, and those that run, each with its worker."""

    delayed: Sequence[str]
    running: Mapping[str, str]


NOBODY = Now((), {})
NEEDS = "jobs that they need"
PAUSE = "the pause before a retry"
WORKER = "a free worker"
UNKNOWN = "not known"
GONE = Line("", ())
"""Stands for the line of a job that the server does not know any more."""

_PLACES = {Event.WAITING: NEEDS, Event.DELAYED: PAUSE}
_ENDED = frozenset({Event.DONE, Event.FAILED, Event.CANCELLED, Event.BLOCKED, Event.REMOVED})
_LEAVES = frozenset({Event.DONE, Event.FAILED, Event.DELAYED, Event.LOST, Event.RELEASED, Event.CANCELLED})


@dataclass
class Waiting:
    """A replay of what jobs waited for.

    Attributes:
        hosts: The machines of workers. Of a token that has units on each machine, these count.
        lines: The lines of jobs. It grows.
        since_s: From when it counts, epoch seconds; None before the first event.
        seconds: How long jobs waited for what, all jobs together, in seconds.
    """

    hosts: Mapping[str, str] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    since_s: float | None = None
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _at_s: float = 0.0
    _tokens: Mapping[str, Capacity] = field(default_factory=dict)
    _places: dict[str, Line | str] = field(default_factory=dict)
    _ready: Counter[Line] = field(default_factory=Counter)
    _other: Counter[str] = field(default_factory=Counter)
    _unseen: Counter[Line] = field(default_factory=Counter)
    _unseen_needs: int = 0
    _moved: set[str] = field(default_factory=set)
    _holds: dict[str, tuple[Line, str]] = field(default_factory=dict)
    _used: Counter[tuple[str, str]] = field(default_factory=Counter)
    _paused: set[str] = field(default_factory=set)
    _reasons: dict[Line, str] = field(default_factory=dict)

    def set_tokens(self, tokens: Mapping[str, Capacity]) -> None:
        """Set which tokens there are. What happens from now on is judged by them."""
        if tokens != self._tokens:
            self._tokens = tokens
            self._reasons.clear()

    def begin(self, moves: Iterable[Move], ready: Counter[Line], waiting: int, now: Now = NOBODY) -> None:
        """Set how all stood when the oldest event came.

        Args:
            moves: All events that are kept, in order. `lines` has the lines of their jobs.
            ready: How many jobs stand in each line now. Those of which no event speaks stood there all the time.
            waiting: How many jobs wait for others now; likewise.
            now: Which jobs wait for a retry now, and which run; likewise.
        """
        first: dict[str, Move] = {}
        last: dict[str, Event] = {}
        paused: dict[str, Event] = {}
        for move in moves:
            if move.job:
                first.setdefault(move.job, move)
                if move.event not in TALK:
                    last[move.job] = move.event
            elif move.queue:
                paused.setdefault(move.queue, move.event)
        self._paused = {queue for queue, event in paused.items() if event is Event.QUEUE_RESUMED}
        seen = Counter(self.lines.get(job, GONE) for job, event in last.items() if event is Event.READY)
        self._unseen = Counter({line: count - seen[line] for line, count in ready.items() if count > seen[line]})
        self._ready.update(self._unseen)
        self._unseen_needs = max(waiting - sum(event is Event.WAITING for event in last.values()), 0)
        self._other[NEEDS] += self._unseen_needs
        self._moved.update(first)
        for job, move in first.items():
            self._place(job, self._before(move))
        for job in now.delayed:
            if job not in first:
                self._place(job, PAUSE)
        for job, worker in now.running.items():
            if job not in first:
                self._hold(job, self.lines.get(job, GONE), worker)
        self._moved.update(now.delayed, now.running)

    def _before(self, move: Move) -> Line | str | None:
        """How a job stood before its first event; None if it did not wait."""
        line = self.lines.get(move.job, GONE)
        if move.event is Event.STARTED:
            return line
        if move.event is Event.READY:
            return UNKNOWN  # it waited for others, or for a retry
        if (move.event in _LEAVES and not move.adopted and move.event is not Event.CANCELLED) or move.event in TALK:
            self._hold(move.job, line, move.worker)
        return None

    @property
    def is_guessing(self) -> bool:
        """Whether jobs wait of which no event speaks. `correct` then says how many are left."""
        return self._unseen_needs > 0 or any(count > 0 for count in self._unseen.values())

    def correct(self, ready: Counter[Line], waiting: int) -> None:
        """Take how many jobs stand in each line and wait for others now: some of which no event spoke may be gone.

        An event of a job that was cancelled does not say where it stood before.
        """
        for line, before in list(self._unseen.items()):
            left = max(ready[line] - (self._ready[line] - before), 0)
            self._ready[line] += left - before
            self._unseen[line] = left
        left = max(waiting - (self._other[NEEDS] - self._unseen_needs), 0) if self._unseen_needs else 0
        self._other[NEEDS] += left - self._unseen_needs
        self._unseen_needs = left

    def add(self, moves: Iterable[Move], lines: Mapping[str, Line]) -> None:
        """Replay events, in order.

        Args:
            moves: The events.
            lines: The lines of their jobs, as far as the server knows them.
        """
        self.lines.update(lines)
        for move in moves:
            if self.since_s is None:
                self.since_s = self._at_s = move.at_s
            self._pass(move.at_s)
            if move.job:
                self._move(move)
            elif move.event is Event.QUEUE_PAUSED:
                self._paused.add(move.queue)
                self._reasons.clear()
            elif move.event is Event.QUEUE_RESUMED:
                self._paused.discard(move.queue)
                self._reasons.clear()

    def until(self, now_s: float) -> dict[str, float]:
        """How long jobs waited for what, up to now: all of them together, seconds."""
        if self.since_s is not None:
            self._pass(now_s)
        return {what: seconds for what, seconds in self.seconds.items() if seconds > 0}

    @property
    def jobs(self) -> int:
        """How many jobs wait now, by the replay."""
        return sum(self._ready.values()) + sum(self._other.values())

    @property
    def held(self) -> dict[str, int]:
        """How many units of each token jobs of this workspace hold now, by the replay."""
        found: Counter[str] = Counter()
        for (token, _), units in self._used.items():
            found[token] += units
        return {token: units for token, units in found.items() if units}

    def _pass(self, at_s: float) -> None:
        """Count the time since the last event. The server's clock may have gone back; then none has passed."""
        passed_s = at_s - self._at_s
        if passed_s <= 0:
            return
        for line, count in self._ready.items():
            if count > 0:
                self.seconds[self._reason(line)] += count * passed_s
        for what, count in self._other.items():
            if count > 0:
                self.seconds[what] += count * passed_s
        self._at_s = at_s

    def _move(self, move: Move) -> None:
        line, event = self.lines.get(move.job, GONE), move.event
        if move.job not in self._moved:
            self._moved.add(move.job)
            self._meet(event, line)
        if event is Event.STARTED:
            self._place(move.job, None)
            self._hold(move.job, line, move.worker)
            return
        if event in _LEAVES and move.job in self._holds:
            self._give(move.job)
        if event is Event.READY:
            self._place(move.job, line)
        elif event in _PLACES:
            self._place(move.job, _PLACES[event])
        elif event in _ENDED:
            self._place(move.job, None)

    def _meet(self, event: Event, line: Line) -> None:
        """The first event of a job that came before the oldest event: it waited until now, and was counted so."""
        if event is Event.STARTED and self._unseen[line] > 0:
            self._unseen[line] -= 1
            self._ready[line] -= 1
        elif event is Event.READY and self._unseen_needs > 0:
            self._unseen_needs -= 1
            self._other[NEEDS] -= 1

    def _place(self, job: str, place: Line | str | None) -> None:
        before = self._places.pop(job, None)
        if before is not None:
            (self._ready if isinstance(before, Line) else self._other)[before] -= 1  # type: ignore[index]
        if place is not None:
            self._places[job] = place
            (self._ready if isinstance(place, Line) else self._other)[place] += 1  # type: ignore[index]

    def _hold(self, job: str, line: Line, worker: str) -> None:
        self._give(job)
        host = self.hosts.get(worker, "")
        self._holds[job] = (line, host)
        self._count(line, host, 1)

    def _give(self, job: str) -> None:
        held = self._holds.pop(job, None)
        if held is not None:
            self._count(*held, -1)

    def _count(self, line: Line, host: str, sign: int) -> None:
        for token, units in line.demand:
            known = self._tokens.get(token)
            self._used[token, host if known is not None and known.each_host else ""] += sign * units
        if line.demand:
            self._reasons.clear()

    def _reason(self, line: Line) -> str:
        found = self._reasons.get(line)
        if found is None:
            found = self._reasons[line] = self._reason_of(line)
        return found

    def _reason_of(self, line: Line) -> str:
        """What the jobs of a line wait for. The order is that of `xpm why`: the pause comes before the tokens."""
        if line == GONE:
            return UNKNOWN
        if line.queue in self._paused:
            return f"the paused queue {line.queue}"
        lacking = [token for token, units in line.demand if not self._free(token, units)]
        if lacking:
            return f"token {lacking[0]}" if len(lacking) == 1 else f"tokens {' and '.join(lacking)}"
        return WORKER

    def _free(self, token: str, units: int) -> bool:
        """Whether so many units of a token are free; if each machine has its own, on one of them."""
        known = self._tokens.get(token)
        if known is None:
            return True
        if not known.each_host:
            return self._used[token, ""] + units <= known.units
        machines = set(self.hosts.values()) or {""}
        return any(self._used[token, host] + units <= known.units for host in machines)
