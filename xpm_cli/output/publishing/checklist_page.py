"""What a paper must state of an experiment, as Markdown to paste.

Owns: the sentences. The facts are those of `checklist_facts`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from xpm_cli.output.code.code_lines import NOTABLE
from xpm_cli.output.tables.cells import text_of
from xpm_core.labels import LIVE, short
from xpm_core.results.folding.settings import at_counts
from xpm_core.words.text import amount, line, listed, plural
from xpm_core.workspace.experiment_directory import WIDTH

VALUES = 12
"""Of so many numbers, each is named; of more, the least and the greatest."""
PACKAGES = 60
FILES = 5
MOST_PLACES = 6
LONGEST = 60

Facts = Mapping[str, Any]


def page(facts: Facts) -> Iterator[str]:
    """The lines of the page.

    Args:
        facts: What `ChecklistFacts.as_data` returns.
    """
    yield f"## {facts['experiment']}"
    parts = (
        ("Runs", _runs),
        ("Compute", _compute),
        ("Hardware", _hardware),
        ("Search space", _search),
        ("Seeds", _seeds),
        ("Error bars", _error_bars),
        ("Packages", _packages),
        ("Code", _code),
    )
    for title, lines in parts:
        yield ""
        yield f"### {title}"
        yield ""
        yield from lines(facts)
    yield ""
    yield "### Notes"
    yield ""
    yield from (f"- {note}" for note in facts["notes"])


def _runs(facts: Facts) -> Iterator[str]:
    jobs, attempts = facts["jobs"], facts["attempts"]
    states = ", ".join(f"{count} {word}" for word, count in jobs["states"].items())
    yield f"- {plural(jobs['total'], 'job')}: {states or 'none'}."
    if len(jobs["tasks"]) > 1:
        yield f"- By task: {', '.join(f'{count} {name}' for name, count in jobs['tasks'].items())}."
    discarded = [f"{count} {word}" for word, count in attempts["discarded"].items()]
    if attempts["unrecorded"]:
        discarded.append(f"{attempts['unrecorded']} without a record")
    other = attempts["total"] - attempts["counting"]
    rest = f"; {other} {'does' if other == 1 else 'do'} not ({', '.join(discarded)})" if discarded else ""
    verb = "counts" if attempts["counting"] == 1 else "count"
    yield f"- {plural(attempts['total'], 'attempt')} ended: {attempts['counting']} {verb}{rest}."
    if jobs["given_up"]:
        yield f"- {plural(jobs['given_up'], 'job')} of earlier runs that the latest run of the script does not name."
    if jobs["given_up"] is None and jobs["total"]:
        yield "- Which jobs the latest run of the script has given up is not known: it has not ended, or was killed."
    if jobs["foreign"]:
        yield f"- {plural(jobs['foreign'], 'row')} of tables from imported runs of other programs: see the notes."
    if jobs["removed"]:
        yield f"- {plural(jobs['removed'], 'job')} removed from the workspace, with what is known of them."


def _compute(facts: Facts) -> Iterator[str]:
    compute = facts["compute"]
    total, processors = _hours(compute["hours"]), _hours(compute["cpu_hours"])
    yield f"- In total {total} of attempts, {processors} of processors{_devices(compute)}."
    yield f"- {_hours(compute['hours_that_count'])} of it in attempts that count."
    if compute["tasks"]:
        yield ""
        yield from _table(
            ["task", "attempts", "hours", "CPU hours", "device hours", "results", "hours per result", "with discarded"],
            [
                [
                    each["task"],
                    each["attempts"],
                    *(_number(each[name]) for name in ("hours", "cpu_hours")),
                    _device_number(each),
                    each["results"],
                    *(_number(each[name]) for name in ("hours_per_result", "hours_per_result_with_discarded")),
                ]
                for each in compute["tasks"]
            ],
        )


def _devices(compute: Facts) -> str:
    hours, unknown = compute["device_hours"], compute["devices_unknown"]
    if hours is None:
        return "; hours of devices are not known, because no record says which devices a job saw"
    if unknown:
        verb = "does" if unknown == 1 else "do"
        return f", at least {_hours(hours)} of devices ({plural(unknown, 'attempt')} {verb} not say which they saw)"
    return f", {_hours(hours)} of devices" if hours else ""


def _device_number(each: Facts) -> str:
    number = _number(each["device_hours"])
    return f"at least {number}" if each["devices_unknown"] and each["device_hours"] is not None else number


def _hardware(facts: Facts) -> Iterator[str]:
    if not facts["hardware"]:
        yield "No attempt has ended."
        return
    yield from _table(
        ["host", "processor", "cores", "memory", "cards", "driver", "system", "devices of jobs", "attempts", "hours"],
        [
            [
                each["host"],
                each["cpu"],
                each["cores"],
                amount(each["memory_bytes"]) if isinstance(each["memory_bytes"], int) else None,
                _cards(each["gpus"]),
                each["driver"],
                each["system"],
                ", ".join(f"{name} ({count})" for name, count in each["devices"].items()),
                each["attempts"],
                _number(each["hours"]),
            ]
            for each in facts["hardware"]
        ],
    )


def _cards(gpus: Any) -> str:
    names = [str(each) for each in gpus] if isinstance(gpus, list) else []
    return ", ".join(f"{names.count(name)} x {name}" for name in dict.fromkeys(names))


def _search(facts: Facts) -> Iterator[str]:
    if not facts["search"]:
        yield "No tag and no parameter varies."
        return
    yield from _table(
        ["task", "name", "values", "number"],
        [[each["task"], each["name"], _values(each["values"]), len(each["values"])] for each in facts["search"]],
    )


def _values(values: Sequence[Any]) -> str:
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    if numbers and len(values) > VALUES:
        return f"from {text_of(values[0])} to {text_of(values[-1])}"
    return listed([line(text_of(value), LONGEST) for value in values], VALUES)


def _seeds(facts: Facts) -> Iterator[str]:
    for each in facts["seeds"]:
        said = _values(each["values"])
        yield f"- {each['task']}: {each['name']} {'varies' if each['varies'] else 'is the same in all'} ({said})."
    if not facts["seeds"]:
        yield "No parameter and no tag is named as a seed is: `seed`, `random_state`, or with `_seed` at its end."


def _error_bars(facts: Facts) -> Iterator[str]:
    if not facts["repeats"]:
        yield "There is no job."
    fixed = {(each["task"], each["name"]) for each in facts["seeds"] if not each["varies"]}
    for each in facts["repeats"]:
        yield f"- {each['task']}: {_repeats(each, facts['experiment'])}"
        if same := [name for task, name in sorted(fixed) if task == each["task"]]:
            yield f"- {each['task']}: {listed(same)} did not vary, so no error bar contains what depends on it."
    stopped: dict[tuple[str, str], list[int]] = {}
    for each in facts["sampling"]:
        if each["why"] == WIDTH:
            stopped.setdefault((each["task"], each["metric"]), []).append(each["n"])
    for (task, metric), counts in stopped.items():
        said = f"the width of the interval stopped {plural(len(counts), 'sampling')} of {metric}, {at_counts(counts)}"
        yield f"- {task}: {said}. There the level of intervals holds only roughly."


def _repeats(each: Facts, experiment: str) -> str:
    configurations = plural(each["configurations"], "configuration")
    least, most = each["least"], each["most"]
    runs = f"{most} done" if least == most else f"{least} to {most} done"
    if not each["varied"]:
        return f"{configurations}, {runs} each. No seed varies: there can be no error bars."
    fold = f"`xpm results {experiment} --over {','.join(each['varied'])}` gives means with error bars."
    return f"{configurations}, {runs} each. {listed(each['varied'])} varied. {fold}"


def _packages(facts: Facts) -> Iterator[str]:
    packages = facts["packages"]
    for each in packages["environments"]:
        python = f"Python {each['python']}" if each["python"] else "Python not known"
        known = f"packages {short(each['packages'])}" if each["packages"] else "packages not known"
        lost = "" if each["known"] or not each["packages"] else ", whose list is missing"
        yield f"- {plural(each['jobs'], 'job')}: {python}, {known}{lost}."
    if not packages["environments"]:
        yield "No job is done."
    if len([each for each in packages["environments"] if each["packages"]]) > 1:
        differ = [f"{name} ({', '.join(found)})" for name, found in packages["versions"].items() if len(found) > 1]
        yield f"- Versions that differ: {listed(differ, PACKAGES) or 'none; packages are missing in some'}."
    if versions := packages["versions"]:
        named = [*versions] if len(versions) <= PACKAGES else [name for name in NOTABLE if name in versions]
        words = ", ".join(f"{name} {'/'.join(versions[name])}" for name in named)
        rest = len(versions) - len(named)
        more = f"{plural(rest, 'package')} more: `xpm checklist {facts['experiment']} --json`" if rest else ""
        yield f"- {'; '.join(filter(None, [words, more]))}."


def _code(facts: Facts) -> Iterator[str]:
    for each in facts["code"]:
        yield f"- {plural(each['jobs'], 'job')}: {_ran(each)}. {_changed(each)}"
    if not facts["code"]:
        yield "No job is done."
    if len(facts["code"]) > 1:
        count = len(facts["code"])
        yield f"- The results are of {count} versions of the code. `xpm diff A B --code` compares two jobs."


def _ran(each: Facts) -> str:
    snapshot = each["snapshot"]
    kept = "live code, not kept" if snapshot == LIVE else f"snapshot {short(snapshot or '')}"
    what = "code not known" if snapshot is None else kept
    if each["commit"]:
        what += f", commit {each['commit'][:12]}" + (f" of {each['branch']}" if each["branch"] else "")
        what += ", with files that differed from it" if each["dirty"] else ""
    return what + (f", submitted by {os.path.basename(each['script'])}" if each["script"] else "")


def _changed(each: Facts) -> str:
    changed = each["changed_files"]
    if changed is None:
        return "Whether its files differ now is not known."
    if not changed:
        return "Its files are the same now."
    return f"Files that differ now: {listed(changed, FILES)}."


def _hours(hours: float) -> str:
    return f"{_number(hours)} h"


def _number(hours: float | None) -> str:
    """Hours with as many digits as they need: `12.5`, `0.0042`."""
    if hours is None:
        return "not known"
    places = MOST_PLACES if hours <= 0 else min(max(1 - math.floor(math.log10(hours)), 1), MOST_PLACES)
    return f"{hours:.{places}f}" if hours else "0"


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """A table of Markdown."""
    yield f"| {' | '.join(header)} |"
    yield f"|{' --- |' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(_cell(value) for value in row)} |"


def _cell(value: Any) -> str:
    return "-" if value in (None, "") else str(value).replace("|", "\\|").replace("\n", " ")
