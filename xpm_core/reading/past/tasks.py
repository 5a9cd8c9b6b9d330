"""The tasks of a past run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from xpm_core.labels import bare_class, short, title
from xpm_core.reading.past.configurations import Configurations, PastJob, Reader
from xpm_core.reading.past.sources import params_of
from xpm_core.states import State
from xpm_core.tracebacks.edges import edge
from xpm_core.words import html
from xpm_core.workspace.reported.job_results import JobResults

SHOWN = 20
"""How many rows a notebook shows of a long list."""


class PastTask:
    """A task of a past run. Nothing of it can be changed. Its configuration is read when it is first asked for.

    Attributes:
        identity: The identity, 64 hexadecimal digits.
        task: The class, `models:Train`; empty if nobody knows it.
        jobpath: The directory of its job, with the files that it has written.

    Example:
        >>> best = max(tasks, key=lambda task: float((task.jobpath / "accuracy.txt").read_text()))
        >>> best.tags, best.config.lr
        ({'model': 'mlp'}, 0.1)
    """

    def __init__(self, job: PastJob, configurations: Configurations) -> None:
        self._job, self._configurations = job, configurations
        self.identity: str = job.row.identity
        self.task: str = job.task
        self.jobpath: Path = job.directory.path

    @property
    def name(self) -> str:
        """The bare name of the class, `Train`."""
        return bare_class(self.task) or "job"

    @property
    def title(self) -> str:
        """The task as people know it: `Train lr=0.1 model=mlp`."""
        return title(self.name, self.tags)

    @cached_property
    def tags(self) -> Mapping[str, Any]:
        """The tags."""
        found = self._job.row.tags if self._job.row.tags is not None else params_of(self._job.directory).get("tags")
        return dict(found) if isinstance(found, Mapping) else {}

    @cached_property
    def state(self) -> State | None:
        """The state, by the server, the index or the directory; None if none of them knows it."""
        if self._job.row.state is not None:
            return self._job.row.state
        marker = self._job.directory.marker()
        return None if marker is None else State(marker.kind)

    @cached_property
    def results(self) -> JobResults:
        """What the job has reported, by name: `task.results["accuracy"]`."""
        return JobResults(self.jobpath)

    @property
    def config(self) -> Any:
        """The configuration, to read its parameters: `task.config.model.layers`. None if nothing is known of it.

        It is a sealed configuration of today's class, if that gives the same identity. If not, it is a `PlainConfig`:
        the parameters that the class of the snapshot has, as plain values.
        """
        return self._configurations[self.identity].config

    @property
    def read_by(self) -> Reader:
        """With what `config` was read: "today", "snapshot", or "values" if no class takes part; empty if it was not."""
        return self._configurations[self.identity].read_by

    @property
    def problem(self) -> str:
        """Why today's classes do not read the configuration, and those of the snapshot do not either; else empty."""
        return self._configurations[self.identity].problem

    @cached_property
    def snapshot(self) -> str:
        """The snapshot of the code that it ran with, 64 hexadecimal digits; empty if none was kept, or is known."""
        spec = self._configurations.sources.spec(self.task, self._job.directory)
        return spec.options.snapshot if spec is not None and isinstance(spec.options.snapshot, str) else ""

    @property
    def imported(self) -> bool:
        """Whether `xpm import` has brought it from elsewhere."""
        return self._job.directory.is_imported()

    def __repr__(self) -> str:
        return f"<{self.title} {short(self.identity)} {self.state.value if self.state else 'unknown'}>"

    @edge
    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        labels = ", ".join(f"{name}={value}" for name, value in self.tags.items())
        facts = {"identity": html.code(self.identity), "tags": labels or "-", "state": _state(self)}
        facts |= {"code": f"snapshot {short(self.snapshot)}" if self.snapshot else "not kept"}
        facts |= {"parameters": self.config, "directory": html.code(self.jobpath)}
        return html.card(self.name, {**facts, **({"problem": self.problem} if self.problem else {})})


class PastTasks(list[PastTask]):
    """The tasks of a run, in the order of their submission."""

    def _repr_html_(self) -> str:
        """What a notebook shows of them."""
        rows = [(each.title, _state(each), html.code(short(each.identity)), html.code(each.jobpath)) for each in self]
        more = [html.line(html.text(f"{len(rows) - SHOWN} more", muted=True))] if len(rows) > SHOWN else []
        return html.frame(html.table(rows[:SHOWN]), *more) if rows else html.frame(html.line("no tasks"))


def _state(task: PastTask) -> html.Html:
    return html.text("unknown" if task.state is None else task.state.value, state=task.state)
