"""Where a number comes from, for people.

Owns: the lines that `xpm cite` prints. What all jobs have in common is said once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

import click

from xpm_cli.output.code.code_lines import code_lines
from xpm_cli.output.publishing.citation_facts import CitationFacts, Source, paths_of
from xpm_cli.output.tables.cells import text_of
from xpm_cli.output.terminal import LABEL_WIDTH, Terminal, state
from xpm_core.labels import short
from xpm_core.results.folding.cells import holes_text
from xpm_core.results.jobs import Known
from xpm_core.states import State
from xpm_core.words.text import amount, plural

NAMED = 8
"""So many jobs, files or machines are named on a terminal; without one, all."""

Item = TypeVar("Item")


def lines(facts: CitationFacts, terminal: Terminal) -> Iterator[str]:
    """The lines to print."""
    cited, cell = facts.cited, facts.cited.cell
    yield terminal.entry("number", [click.style(f"{cited.column.key} = {cell or text_of(cited.value)}", bold=True)])
    yield terminal.entry("of", [cited.experiment, *([cited.name] if cited.name else [])])
    for note in filter(None, [cell.note if cell else "", *facts.notes]):
        yield from terminal.wrapped("note".ljust(LABEL_WIDTH), note)
    yield from _jobs(facts, terminal)
    yield from _foreign(facts, terminal)
    if cell and cell.missing:
        yield from terminal.wrapped("missing".ljust(LABEL_WIDTH), holes_text(cell.missing))
    yield from _used(facts, terminal)
    everyone = [*facts.sources, *facts.used]
    groups = _grouped(everyone, _ran)
    for sources in groups:
        if len(groups) > 1:
            yield terminal.entry("", [f"{_names(sources, terminal)}:"])
        first = sources[0]
        yield from code_lines(first.code, terminal, first.changed or (), whole=terminal.width is None)
        if first.code.provenance is not None and first.code.provenance.folder:
            yield terminal.entry("", [f"in {first.code.provenance.folder}"])
        if first.code.versions:
            count = plural(len(first.code.versions), "package")
            yield terminal.entry("packages", [f"{short(first.code.packages_digest)}, {count} (--json lists them)"])
        if not first.code.known:
            yield terminal.entry("code", ["not known"])
    if facts.sources:
        yield from _data(facts, terminal)
        yield from _machines(facts.sources, terminal)
        agreed, jobs = sum(each == "same" for each in facts.agreements.values()), len(facts.agreements)
        yield terminal.entry("checked", [f"results.json of {agreed} of {plural(jobs, 'job')} says the same"])
        job, commands = facts.sources[0].row.identity, facts.opened.commands
        yield terminal.entry("do", [commands.show(job), commands.reproduce(job)])


def _jobs(facts: CitationFacts, terminal: Terminal) -> Iterator[str]:
    """The jobs that count, each with its value, and where it lies."""
    if not facts.cited.rows:
        yield terminal.entry("jobs", ["none counts"])
    name = facts.cited.column.key
    shown, more = _first(facts.sources, terminal)
    for number, source in enumerate(shown):
        row, key = source.row, facts.cited.keys.get(source.row.identity, "")
        value = text_of(source.value(name))
        word = [] if row.state and row.state.value == "done" else [state(row.state.value) if row.state else "unknown"]
        items = [f"{short(row.identity)} {facts.opened.title(row)}", *filter(None, [key]), value, *word]
        yield terminal.entry("" if number else "jobs", items)
    if more:
        yield terminal.entry("", [f"and {more} more (--json)"])
    paths = [facts.opened.directory(source.row).path for source in facts.sources if source.row.task]
    folders = sorted({str(path.parent) for path in paths}) if len(paths) > 1 else [str(path) for path in paths]
    yield from (terminal.entry("" if number else "folder", [folder]) for number, folder in enumerate(folders))


def _foreign(facts: CitationFacts, terminal: Terminal) -> Iterator[str]:
    """The runs that xpm has not made, and the files that they come from."""
    name, runs = facts.cited.column.key, facts.cited.foreign
    shown, more = _first(runs, terminal)
    for number, run in enumerate(shown):
        key, value = facts.cited.keys.get(run.identity, ""), text_of(run.results.get(name))
        items = [f"{short(run.identity)} {run.title}", *filter(None, [key]), value, run.where, run.host, run.commit]
        word = "" if run.state is State.DONE else state(run.state.value)
        yield terminal.entry("" if number else "foreign", filter(None, [*items, word]))
    if more:
        yield terminal.entry("", [f"and {more} more (--json)"])
    for source in dict.fromkeys(run.source for run in runs):
        yield terminal.entry("from", [source.source, f"sha256 {source.digest[:12]}", source.told()])


def _used(facts: CitationFacts, terminal: Terminal) -> Iterator[str]:
    shown, more = _first(facts.used, terminal)
    items = [f"{facts.opened.title(each.row)} {short(each.row.identity)}" for each in shown]
    if items:
        yield terminal.entry("uses", [*items, *([f"and {more} more (--json)"] if more else [])])


def _data(facts: CitationFacts, terminal: Terminal) -> Iterator[str]:
    """Paths that were given as parameters, and files of the project that were read."""
    known = Known(facts.opened.workspace.path, lambda: list(facts.opened.view.jobs()))
    paths: dict[str, None] = {}
    files: dict[str, None] = {}
    unseen = 0
    for source in [*facts.sources, *facts.used]:
        paths |= dict.fromkeys(f"{name} = {path}" for name, path in paths_of(known.parameters(source.row)).items())
        unseen += source.files is None
        for file in source.files or ():
            digest = f" (sha256 {file['sha256'][:12]})" if file["sha256"] else ""
            files[f"{file['path']}{digest}"] = None
    shown, more = _first([*paths, *files], terminal)
    items = [*shown, *([f"and {more} more (--json)"] if more else [])]
    if unseen:
        items.append(f"which files {plural(unseen, 'job')} read was not seen")
    yield terminal.entry("data", items or ["no path among the parameters, and no file of the project was read"])


def _machines(sources: Sequence[Source], terminal: Terminal) -> Iterator[str]:
    groups = _grouped(sources, lambda each: (each.record.get("host"), repr(each.record.get("machine"))))
    shown, more = _first(groups, terminal)
    for number, found in enumerate(shown):
        count = f" ({plural(len(found), 'job')})" if len(groups) > 1 else ""
        yield terminal.entry("" if number else "machine", [f"{_machine(found[0])}{count}"])
    if more:
        yield terminal.entry("", [f"and {plural(more, 'machine')} more (--json)"])


def _machine(source: Source) -> str:
    """A machine: `gpu-a, AMD EPYC 7543, 16 cores, 64 GB, 2 x NVIDIA A100`."""
    attempt = source.attempt
    if attempt is None or not attempt.host:
        return "not known"
    machine = attempt.machine
    cards = [str(each) for each in machine.get("gpus") or ()]
    parts = [
        attempt.host,
        str(machine.get("cpu") or ""),
        plural(machine["cores"], "core") if isinstance(machine.get("cores"), int) else "",
        amount(machine["memory_bytes"]) if isinstance(machine.get("memory_bytes"), int) else "",
        *(f"{cards.count(name)} x {name}" for name in dict.fromkeys(cards)),
        attempt.devices or "",
    ]
    return ", ".join(filter(None, parts))


def _ran(source: Source) -> Hashable:
    return source.code.snapshot, source.code.provenance_digest, source.code.packages_digest, source.code.known


def _names(sources: Sequence[Source], terminal: Terminal) -> str:
    shown, more = _first(sources, terminal)
    return ", ".join(short(each.row.identity) for each in shown) + (f" and {more} more" if more else "")


def _first(items: Sequence[Item], terminal: Terminal) -> tuple[Sequence[Item], int]:
    """The items that are named, and how many are not."""
    most = len(items) if terminal.width is None else NAMED
    return items[:most], max(len(items) - most, 0)


def _grouped(items: Iterable[Item], key: Callable[[Item], Hashable]) -> list[list[Item]]:
    found: dict[Hashable, list[Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return list(found.values())
