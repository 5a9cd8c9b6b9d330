"""`xpm diff`: the parameters that make two identities differ, and the code of two jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from xpm_cli.app import common_options, say
from xpm_cli.lookup import script_objects
from xpm_cli.lookup.code.job_code import JobCode
from xpm_cli.lookup.code.ran_code import ran
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.lookup.sealed_job import verified
from xpm_cli.output.code.code_differences import CodeDifference, CodeSide
from xpm_cli.output.code.code_since import code_since
from xpm_cli.output.json_form import SCHEMA, dumps
from xpm_cli.output.terminal import Terminal
from xpm_core.errors import WorkspaceError
from xpm_core.labels import bare_class, short, title
from xpm_core.language.identity.description import describe
from xpm_core.language.identity.differences import ABSENT, Difference, differences, is_typed
from xpm_core.results.columns import key_of
from xpm_core.states import State
from xpm_core.wire.unpacker import Unpacker
from xpm_core.words.commands import Commands
from xpm_core.words.text import listed
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.workspace import Workspace

PARAMS = "params.json"
RESULTS = 5
"""How many of the results that differ are named."""


@dataclass(frozen=True)
class Side:
    """One of the two that are compared.

    Attributes:
        name: As the user named it.
        described: The description in its params.json.
        workspace: Where the directories of the jobs lie that it names.
        code: The code of a job; None for a configuration that a script makes.
        directory: The directory of a job; None for such a configuration.
        results: What a job has reported, in one level; empty for a configuration.
    """

    name: str
    described: Mapping[str, Any]
    workspace: Path | None = None
    code: JobCode | None = None
    directory: JobDirectory | None = None
    results: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The head of its column: `3f2a91c Train lr=0.1`."""
        named = title(bare_class(str(self.described["task"])), self.described.get("tags", {}))
        return f"{short(self.described['identity'])} {named}"


@click.command()
@common_options
@click.argument("first", metavar="A")
@click.argument("second", metavar="[B]", required=False)
@click.option("-a", "--all", "everything", is_flag=True, help="Also parameters that are no part of the identity.")
@click.option("--code", "of_code", is_flag=True, help="The code and the packages that differ, instead.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def diff(ctx: click.Context, first: str, second: str | None, everything: bool, of_code: bool, as_json: bool) -> None:
    """List the parameters that make two identities differ, or the code.

    A and B are jobs, directories of jobs (of any workspace, also when no server runs), or configurations that a script
    makes: sweep.py:learn or package.module:learn, an object or a function that returns one.

    --code compares what two jobs ran: the files of their snapshots, line by line, and the packages that were installed.

    --code with one job that is done compares what it ran with the files as they are now. It shows the definitions that
    have changed and that the job could run: first those that it ran, then those that it never ran, then places where
    that cannot be told, then the files that it read, and the packages of which this environment has another version.
    """
    if second is None:
        if not of_code:
            problem = "Name two jobs to compare. To compare the code of one job with the files now, add --code."
            raise click.UsageError(problem, ctx)
        _since(first, as_json)
        return
    with ExitStack() as stack:
        opened: list[OpenWorkspace] = []
        sides = [_side(name, stack, opened) for name in (first, second)]
        found = differences(sides[0].described, sides[1].described, lambda job: _params_of(job, sides))
    shown = [each for each in found if each.counted or everything]
    code = CodeDifference(*(CodeSide(side.title, side.code) for side in sides))
    if as_json:
        click.echo(dumps({**_as_data(sides, shown), "results": _results_data(sides), **code.as_data(whole=of_code)}))
        return
    commands = opened[0].commands if opened else Commands()
    if of_code:
        for line in code.lines(Terminal.of_stdout()):
            click.echo(line)
        return
    for line in _lines(sides, shown, Terminal.of_stdout(), everything):
        click.echo(line)
    if hidden := len(found) - len(shown):
        say(f"{hidden} that are no part of the identity differ as well: {commands.diff_all(first, second)}")
    if hints := code.hints:
        say(f"their {' and '.join(hints)} {_verb(hints)} as well: {commands.diff_code(first, second)}")
    if results := [f"{name} {_pair(ours, theirs)}" for name, ours, theirs in _differing_results(sides)]:
        say(f"their results differ: {listed(results, RESULTS)}")


def _since(name: str, as_json: bool) -> None:
    """Print what of the code of a job has changed since it ran."""
    with ExitStack() as stack:
        side = _side(name, stack, [])
    if side.directory is None or side.code is None:
        raise click.UsageError(f"{name} is no job. --code with one name takes a job that is done.")
    if side.directory.done_marker() is None:
        problem = "is not done. --code with one name takes a job that is done, because only their records say what ran."
        raise click.UsageError(f"{side.title} {problem}")
    code = code_since(side.title, side.directory, str(side.described["task"]), side.code)
    if as_json:
        job = {"name": side.name, "id": side.described["identity"]}
        click.echo(dumps({"schema": SCHEMA, "job": job, **code.as_data()}))
        return
    for line in code.lines(Terminal.of_stdout()):
        click.echo(line)


def _verb(hints: list[str]) -> str:
    return "differs" if hints == ["code"] else "differ"


def _side(name: str, stack: ExitStack, opened: list[OpenWorkspace]) -> Side:
    """The job or the configuration that a name means."""
    if script_objects.names_object(name):
        return Side(name, describe(script_objects.configuration(name)))
    place = Path(name).expanduser().resolve()
    if (place / PARAMS).is_file():
        directory = Workspace(place.parents[2], "").job_at(place.relative_to(place.parents[2]).as_posix())
        code, results = ran(directory)
        return Side(name, _read(place / PARAMS), place.parents[2], code, directory, results)
    if not opened:
        opened.append(stack.enter_context(open_workspace()))
    job = opened[0].view.job(name)
    directory = opened[0].directory(job)
    workspace = opened[0].workspace.path
    code, results = ran(directory, job)
    if directory.params.is_file():
        return Side(name, _read(directory.params), workspace, code, directory, results)
    if job.state is State.DONE:  # the server has forgotten its parameters
        raise WorkspaceError(str(directory.path), f"has no {PARAMS}", "Run the job's script again: it is run anew.")
    payload = verified(opened[0], opened[0].reader.jobs.spec(job.identity)).payload
    config, tags = Unpacker(workspace, directory.path).configuration(payload, job.identity)
    described = describe(config, job=directory.path, workspace=workspace)
    return Side(name, {**described, "tags": tags}, workspace, code, directory)


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or not {"task", "identity", "parameters"} <= found.keys():
        raise WorkspaceError(str(file), "is no description of a job", "Name the directory of a job.")
    return found


def _params_of(job: Mapping[str, Any], sides: list[Side]) -> Mapping[str, Any] | None:
    """The description in params.json of a job that one of the two names; None if there is none."""
    for side in sides:
        file = Path(side.workspace or "", job["path"], PARAMS)
        if file.is_file():
            return _read(file)
    return None


def _lines(sides: list[Side], shown: list[Difference], terminal: Terminal, everything: bool) -> Iterator[str]:
    first, second = sides
    if first.described["identity"] == second.described["identity"]:
        yield f"the same identity, {short(first.described['identity'])}"
    elif not any(each.counted for each in shown):
        yield f"{first.title} and {second.title} differ, and nothing that is recorded of them does"
    rows = [["PARAMETER", first.title, second.title, *(["COUNTS"] if everything else [])]]
    for each in shown:
        counts = [("yes" if each.counted else "no")] if everything else []
        rows.append([each.path or "class", _text(each.first), _text(each.second), *counts])
    if len(rows) == 1:
        return
    if terminal.fits(rows):
        yield from terminal.table(rows)
    else:
        for path, *values in rows:
            yield path
            yield from (f"  {value}" for value in values)


def _text(value: Any) -> str:
    """A value as people read it."""
    if value is ABSENT:
        return "-"
    if is_typed(value):
        return _text(next(iter(value.values())))
    return value if isinstance(value, str) and value.isprintable() and value else json.dumps(value, ensure_ascii=False)


def _differing_results(sides: list[Side]) -> list[tuple[str, Any, Any]]:
    """The results that differ, if both have reported some; ABSENT where one lacks it."""
    ours, theirs = (side.results for side in sides)
    if not ours or not theirs:
        return []
    both = [(name, ours.get(name, ABSENT), theirs.get(name, ABSENT)) for name in dict.fromkeys([*ours, *theirs])]
    return [each for each in both if key_of(each[1]) != key_of(each[2])]


def _pair(ours: Any, theirs: Any) -> str:
    """Two values in a sentence: with six digits, or with all, if they differ only in these."""
    cut = [f"{each:.6g}" if isinstance(each, float) else _text(each) for each in (ours, theirs)]
    return " and ".join(cut if cut[0] != cut[1] else map(_text, (ours, theirs)))


def _results_data(sides: list[Side]) -> list[dict[str, Any]]:
    found = []
    for name, *values in _differing_results(sides):
        each = {side: value for side, value in zip(("first", "second"), values, strict=True) if value is not ABSENT}
        found.append({"result": name, **each})
    return found


def _as_data(sides: list[Side], shown: list[Difference]) -> dict[str, Any]:
    """The JSON form. A side that lacks a parameter has no entry for it."""
    return {
        "schema": SCHEMA,
        "first": {"name": sides[0].name, "id": sides[0].described["identity"]},
        "second": {"name": sides[1].name, "id": sides[1].described["identity"]},
        "same": sides[0].described["identity"] == sides[1].described["identity"],
        "differences": [
            {
                "parameter": each.path,
                **({} if each.first is ABSENT else {"first": each.first}),
                **({} if each.second is ABSENT else {"second": each.second}),
                "counts": each.counted,
            }
            for each in shown
        ],
    }
