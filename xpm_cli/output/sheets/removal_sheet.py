"""The sheets of `xpm gc`: what each kind holds, what would go, and what is gone.

Owns: the lines that it prints, and their JSON form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xpm_cli.output.json_form import SCHEMA, moment
from xpm_cli.output.terminal import Terminal
from xpm_core.cleaning.records import Done, Item, Kind, Left, Plan, Why
from xpm_core.labels import short
from xpm_core.words.commands import Commands
from xpm_core.words.text import ago, amount, plural

LARGEST = 5
"""How many items of a kind are named."""
LEAVES = 10
"""How many things are named that stay because they are strange."""
RUNS_KEPT = 5
"""How many runs of each experiment the overview keeps."""

NOUNS = {
    Kind.OLD: "directory",
    Kind.FAILED: "job",
    Kind.ORPHANS: "job",
    Kind.RUNS: "run",
    Kind.LEFTOVERS: "leftover",
    Kind.TRASH: "directory",
    Kind.CODE: "item",
}
MEANING = {
    Kind.OLD: "what retries have set aside",
    Kind.FAILED: "jobs that failed or were cancelled, with their logs and the records of why",
    Kind.ORPHANS: "jobs that no run names, and that no job needs",
    Kind.RUNS: "the logs and results of runs, but not their jobs",
    Kind.LEFTOVERS: "what processes have left behind",
    Kind.TRASH: "what an earlier xpm gc has not removed to the end",
    Kind.CODE: "kept code that no job and no record names then",
}
BRIEF = {
    Kind.OLD: "set aside by retries",
    Kind.FAILED: "failed or cancelled",
    Kind.ORPHANS: "no run names them",
    Kind.RUNS: f"not the newest {RUNS_KEPT}",
    Kind.LEFTOVERS: "left by processes",
    Kind.TRASH: "half removed before",
    Kind.CODE: "no record names it",
}
OPTIONS = {
    Kind.OLD: "--old",
    Kind.FAILED: "--failed",
    Kind.ORPHANS: "--orphans",
    Kind.RUNS: f"--keep-runs {RUNS_KEPT}",
    Kind.LEFTOVERS: "--orphans",
    Kind.TRASH: "--orphans",
    Kind.CODE: "--orphans",
}


STAYS = {Why.IN_USE: Kind.RUNS, Why.MOVED: Kind.OLD}
"""What stays for a reason; for all others, jobs."""
JSON_NAMES = {Why.BLOCKED: Why.NEEDED, Why.NAMED: Why.IN_USE, Why.MOVED: Why.IN_USE}
"""Reasons that the JSON form counts with others."""


def counted(kind: Kind, count: int) -> str:
    """A number of items of a kind: `2 directories`."""
    noun = NOUNS[kind]
    return f"{count} directories" if noun == "directory" and count != 1 else plural(count, noun)


def stays(kept: Mapping[Why, int], commands: Commands) -> Iterator[str]:
    """What stays, why, and the command that changes it."""
    for why, count in kept.items():
        do = f": {commands.cancel_blocked()}" if why is Why.BLOCKED else ""
        yield f"{counted(STAYS.get(why, Kind.FAILED), count)}, because {why.value}{do}"


def overview(plans: Mapping[Kind, Plan], terminal: Terminal, commands: Commands, older: str) -> Iterator[str]:
    """The lines that say how much each kind holds, and the command for each."""
    rows = [["KIND", "HOLDS", "SIZE", "", "COMMAND"]]
    for kind in Kind:
        items = plans[kind].of(kind)
        if items or kind not in (Kind.LEFTOVERS, Kind.TRASH, Kind.CODE):
            options = OPTIONS[kind] + (f" --older {older}" if older else "")
            size = amount(sum(item.size for item in items))
            command = commands.gc(options) if items else "-"
            rows.append([kind.value, counted(kind, len(items)), size, BRIEF[kind], command])
    yield from terminal.table(rows, whole=True)
    for kind in (Kind.OLD, Kind.FAILED, Kind.ORPHANS, Kind.RUNS):
        for text in stays(plans[kind].kept, commands):
            yield terminal.entry("stays", [f"{kind.value}: {text}"])


@dataclass(frozen=True)
class RemovalSheet:
    """What would go, or is gone.

    Attributes:
        plan: What would go.
        commands: Writes command lines that find the workspace.
        now_s: The time, epoch seconds.
        done: What was removed; None if nothing was.
    """

    plan: Plan
    commands: Commands
    now_s: float
    done: Done | None = None

    def lines(self, terminal: Terminal) -> Iterator[str]:
        """The lines that say what would go, by kind, the largest first."""
        for kind in Kind:
            if items := self.plan.of(kind):
                size = amount(sum(item.size for item in items))
                yield terminal.entry(kind.value, [counted(kind, len(items)), size, MEANING[kind]])
                yield from self._largest(items, terminal)
        yield from self._stays(terminal)
        if self.plan.unnamed and not self.plan.of(Kind.ORPHANS):
            then = f"no run names {plural(self.plan.unnamed, 'job')} any more; --orphans removes those, too"
            yield terminal.entry("then", [then])
        if self.plan.items:
            yield terminal.entry("in all", [plural(len(self.plan.items), "item"), amount(self.plan.size)])
        else:
            yield "nothing to remove"

    def _largest(self, items: Sequence[Item], terminal: Terminal) -> Iterator[str]:
        for item in items[:LARGEST]:
            yield from terminal.wrapped(f"  {amount(item.size):>9}  ", self._item(item))
        if len(items) > LARGEST:
            yield f"             and {len(items) - LARGEST} more"

    def _item(self, item: Item) -> str:
        when = f", {ago(self.now_s - item.changed_s)}" if item.changed_s else ""
        if item.kind in (Kind.OLD, Kind.RUNS, Kind.CODE):
            return f"{item.what}{when}"
        if item.path and item.kind in (Kind.LEFTOVERS, Kind.TRASH):
            return f"{item.path}  {item.what}{when}"
        state = item.state or "unknown to the server"
        place = "" if item.path else ", without a directory"
        return f"{short(item.identity)}  {item.what}, {state}{when}{place}"

    def _stays(self, terminal: Terminal) -> Iterator[str]:
        strange = [f"{left.path}, because {left.problem}" for left in self.plan.strange]
        more = [f"and {len(strange) - LEAVES} more"] if len(strange) > LEAVES else []
        for text in [*stays(self.plan.kept, self.commands), *strange[:LEAVES], *more]:
            yield terminal.entry("stays", [text])

    def result(self) -> str:
        """What was done, in a sentence."""
        assert self.done is not None
        return f"Removed {plural(len(self.done.items), 'item')}, {amount(self.done.size)}."

    def as_data(self, workspace: str) -> dict[str, Any]:
        """The JSON form."""
        items = self.plan.items if self.done is None else self.done.items
        done = self.done or Done()
        return {
            "schema": SCHEMA,
            "workspace": workspace,
            "time": moment(self.now_s),
            "removed": self.done is not None,
            "size": sum(item.size for item in items),
            "items": [item_data(item) for item in sorted(items, key=lambda item: (item.kind.value, -item.size))],
            "stays": _stays_data(self.plan.kept),
            "strange": [_left(left) for left in self.plan.strange],
            "spared": [_left(left) for left in done.spared],
            "failures": [_left(left) for left in done.failures],
        }


def item_data(item: Item) -> dict[str, Any]:
    """The JSON form of an item."""
    return {
        "kind": item.kind.value,
        "path": item.path or None,
        "job": item.identity or None,
        "what": item.what,
        "state": item.state or None,
        "changed": moment(item.changed_s),
        "size": item.size,
    }


def _stays_data(kept: Mapping[Why, int]) -> dict[str, int]:
    counts = Counter[str]()
    for why, count in kept.items():
        counts[JSON_NAMES.get(why, why).name.lower()] += count
    return dict(counts)


def _left(left: Left) -> dict[str, str]:
    return {"path": left.path, "problem": left.problem}
