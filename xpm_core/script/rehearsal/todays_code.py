"""Whether the results that a script would reuse were made by today's code. Today's files are only read.

Owns: asking that of the jobs of a dry run, and what `on_code_change` makes of the answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from xpm_core.errors import XpmError
from xpm_core.judging.judgement import Judgement
from xpm_core.script.code.choice import LIVE
from xpm_core.script.code.on_change import ERROR, IGNORE, RERUN, OnChange, rule_of
from xpm_core.script.code.reused import PLACES, Reused, code_lines
from xpm_core.script.code.run_code import RunCode
from xpm_core.script.submit.options import Options
from xpm_core.snapshot.unwritten import UnwrittenStore
from xpm_core.tracebacks.callsite import format_line
from xpm_core.words.text import listed, plural
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from xpm_core.script.rehearsal.planned_job import PlannedJob


class TodaysCode:
    """Today's code, and what has become of the code of done jobs.

    Args:
        workspace: The workspace, which need not exist.
        common: What the experiment does with a done job whose code has changed.

    Example:
        >>> code.take(job, {Train}, options)
        >>> code.judge([job])
        ["note    1 reused job of Train ran older code: mlp.py MLP.forward", ...]
    """

    def __init__(self, workspace: Workspace, common: OnChange) -> None:
        store = UnwrittenStore(workspace.path)
        self._common = common
        self._code = RunCode(workspace.path, lambda line: None, store)
        self._reused = Reused(workspace.path, lambda: self._code.newest, store)
        self._rules: dict[type, OnChange] = {}
        self._judged: dict[str, OnChange] = {}

    def take(self, job: PlannedJob, cls: type, classes: set[type], options: Options) -> None:
        """Take a job, and the code that it would have.

        Args:
            job: The job.
            cls: The class of its task.
            classes: The classes that it imports.
            options: The options of `submit`.

        Raises:
            ExperimentError: The class says something else than `on_code_change` can be.
            SnapshotError, SettingsError: See `Snapshotter.current`.
        """
        if cls not in self._rules:
            self._rules[cls] = rule_of(cls, self._common, format_line(job.place))
        if options.code != LIVE:
            self._code.of(classes, live=False)
            self._judged[job.identity] = self._rules[cls]

    def judge(self, jobs: Iterable[PlannedJob]) -> list[str]:
        """Find out of the reused ones of some jobs whether code has changed, and whether they would run again.

        Returns:
            Lines of the plan.
        """
        if not self._code.newest.snapshot:  # the classes are installed, so there is nothing to compare with
            return []
        asked = [job for job in jobs if job.reused and self._judged.get(job.identity, IGNORE) != IGNORE]
        try:
            found = {job.identity: self._reused.of(job) for job in asked}
        except XpmError as error:
            return [f"note    cannot tell whether the code of reused jobs has changed: {error}"]
        for job in asked:
            job.code = found[job.identity].answer
            job.runs_again = job.code == "ran" and self._judged[job.identity] == RERUN
        again: list[PlannedJob] = []
        refused: list[PlannedJob] = []
        told: list[PlannedJob] = []
        for job in asked:
            is_refused = job.code == "ran" and self._judged[job.identity] == ERROR
            (again if job.runs_again else refused if is_refused else told).append(job)
        return [
            *_lines(refused, found, '!       on_code_change="error" stops a run at {jobs}, which ran older code'),
            *_lines(again, found, 'note    on_code_change="rerun" runs {jobs} again, which ran older code'),
            *code_lines((job, found[job.identity]) for job in told),
        ]


def _lines(jobs: Iterable[PlannedJob], found: dict[str, Judgement], words: str) -> Iterator[str]:
    """A line for the jobs of each class: how many there are, and what has changed."""
    groups: dict[str, list[PlannedJob]] = {}
    for job in jobs:
        groups.setdefault(job.name, []).append(job)
    for name, group in groups.items():
        places = dict.fromkeys(place for job in group for place in found[job.identity].places)
        what = words.format(jobs=f"{plural(len(group), 'reused job')} of {name}")
        yield f"{what}: {listed(list(places), PLACES)}"
