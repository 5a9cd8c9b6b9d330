"""What can be typed in a workspace: tags and their values, parameters, results, tasks, and the latest jobs.

Owns: which names of a job are kept, in which form, and how many.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from xpm_core.index.entries import Entry
from xpm_core.labels import bare_class, title
from xpm_core.words.text import line

MOST_VALUES, MOST_NAMES, MOST_LATEST = 200, 1000, 100
"""How many values of a tag, how many names of each kind, and how many of the latest jobs are kept."""

LONGEST_TITLE = 100
KEPT_ID = 16
"""Characters of an identity that are kept."""

_WORD = re.compile(r"[\w.+:/@%-]+")
"""A word that needs no quotes in any shell."""


@dataclass
class Names:
    """What can be typed.

    Attributes:
        tags: By the name of a tag: its values.
        params: The paths of parameters.
        tasks: The bare names of tasks.
        latest: The start of the identity and the title of the latest jobs, the newest first.
        results: The names of results.
    """

    tags: dict[str, list[str]] = field(default_factory=dict)
    params: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    latest: list[list[str]] = field(default_factory=list)
    results: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Names:
        """The names of some jobs. Of a job whose task is not known, only its results are taken."""
        known = list(entries)
        tags: dict[str, dict[str, None]] = {}
        params: dict[str, None] = {}
        results: dict[str, None] = {}
        for entry in known:
            if entry.end is not None and len(results) < MOST_NAMES:
                results.update(dict.fromkeys(filter(_WORD.fullmatch, entry.end.results)))
            _add_tags(tags, entry.tags)
            if len(params) < MOST_NAMES:
                params.update(dict.fromkeys(filter(_WORD.fullmatch, entry.params)))
        tasks = dict.fromkeys(filter(None, (bare_class(entry.task) for entry in known)))
        newest = sorted((entry for entry in known if entry.task), key=_moment, reverse=True)[:MOST_LATEST]
        latest = [[entry.identity[:KEPT_ID], titled(entry)] for entry in newest]
        values_of = {name: list(values) for name, values in tags.items()}
        return cls(values_of, list(params), list(tasks), latest, list(results))

    def with_newer(self, newer: Names) -> Names:
        """These names, and those of jobs that came later."""
        tags = {name: dict.fromkeys(values) for name, values in self.tags.items()}
        for name, values in newer.tags.items():
            tags.setdefault(name, {}).update(dict.fromkeys(values))
        fresh = {identity for identity, _ in newer.latest}
        latest = [*newer.latest, *(each for each in self.latest if each[0] not in fresh)][:MOST_LATEST]
        return Names(
            {name: list(values) for name, values in tags.items()},
            list(dict.fromkeys([*self.params, *newer.params])),
            list(dict.fromkeys([*self.tasks, *newer.tasks])),
            latest,
            list(dict.fromkeys([*self.results, *newer.results])),
        )

    def data(self) -> dict[str, Any]:
        """The names as JSON has them; `Names(**data)` reads them."""
        return asdict(self)


def titled(entry: Entry) -> str:
    """The title of a job on one line, and how it ended if it has: `Train lr=0.1, failed`."""
    ended = f", {entry.state.value}" if entry.state else ""
    return line(f"{title(bare_class(entry.task) or 'job', entry.tags)}{ended}", LONGEST_TITLE)


def typed(value: Any) -> str:
    """A value as a filter takes it; empty if it would need quotes."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if _WORD.fullmatch(text) else ""


def _add_tags(found: dict[str, dict[str, None]], tags: Mapping[str, Any]) -> None:
    for name, value in tags.items():
        if name not in found:
            if len(found) >= MOST_NAMES or not _WORD.fullmatch(name):
                continue
            found[name] = {}
        if len(found[name]) < MOST_VALUES and (text := typed(value)):
            found[name][text] = None


def _moment(entry: Entry) -> float:
    return max(entry.submitted_s, entry.end.ended_s if entry.end else 0.0)
