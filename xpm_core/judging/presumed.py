"""What a job would have run of accepted code, as far as that follows from what it ran of its own.

A job has entered functions of its own code, and not of the code that was accepted since. That calls other functions
where it has changed. These count as run, because the job stands for what the accepted code does.

Owns: this conclusion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from xpm_core.fingerprints.comparison import Comparison
from xpm_core.fingerprints.project import File
from xpm_core.fingerprints.ran import Ran, RanModule
from xpm_core.fingerprints.reached import Reached, definition_name, reach
from xpm_core.fingerprints.source.pieces import MODULE
from xpm_core.fingerprints.walk import Key, Walk


def presumed(ran: Ran, between: Comparison, reached: Reached, walks: tuple[Walk, Walk]) -> Ran | None:
    """What a job would have run of the accepted code.

    Args:
        ran: What it ran of its own code.
        between: The comparison of its own code with the accepted code.
        reached: What the job could reach of its own code.
        walks: The project as the job had it, and as it was accepted.

    Returns:
        What it ran; where that has changed, also all that it can reach from there now. None if it does not follow:
        then all that the job can reach counts.

    Raises:
        SnapshotError: A file cannot be read.

    Example:
        >>> presumed(ran, Comparison(own, accepted), reached, (own, accepted)).functions["digits", "mlp.py"]
        ('MLP.forward', 'scaled')
    """
    own, accepted = walks
    files = {*ran.functions, *((module.tree, module.path) for module in ran.modules)}
    if any(file in own.project.files and file not in accepted.project.files for file in files):
        return None  # a file was renamed, or is gone
    verdict = between.verdict(reached, ran)
    if verdict.answer in ("same", "reached"):
        return ran
    if verdict.answer == "unknown":
        return None
    changed = [Key(each.tree, each.path, each.name) for each in verdict.changes]
    more = reach(accepted, [each for each in changed if accepted.definition(each) is not None])
    if more.unknown:
        return None
    functions = dict(_left(ran, own, accepted))
    modules = {(module.tree, module.path): module for module in ran.modules}
    for file, names in more.definitions.items():
        functions[file] = tuple(dict.fromkeys([*functions.get(file, ()), *(each for each in names if each != MODULE)]))
        modules.setdefault(file, RanModule(*file, ""))
    return replace(ran, functions=functions, modules=tuple(modules.values()))


def _left(ran: Ran, own: Walk, accepted: Walk) -> Iterator[tuple[File, Sequence[str]]]:
    """The functions that it has entered, without those that the accepted code does not have any more."""
    for file, names in ran.functions.items():
        before, now = own.definitions(file), accepted.definitions(file)
        if before is None or now is None:
            yield file, names
            continue
        yield file, [each for each in names if definition_name(now, each) or not definition_name(before, each)]
