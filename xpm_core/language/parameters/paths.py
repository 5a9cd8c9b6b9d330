"""Generated paths: they lie in the directory of the job that a configuration belongs to, or in a shared directory."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn
from urllib.parse import quote

from xpm_core.errors import DeclarationError, MissingParameterError
from xpm_core.language.graph.state import state_of, unsubmitted
from xpm_core.language.graph.walk import reachable
from xpm_core.language.parameters.fields import refuse_uncallable_with
from xpm_core.language.parameters.schema import schema_of
from xpm_core.tracebacks.edges import edge

JOB, WORKSPACE = Path("<job>"), Path("<workspace>")
"""Stand for directories that are not known yet. Only these two paths are relative."""


class Layout:
    """The generated paths below a configuration.

    The paths of a submitted task, and of the configurations below it, lie in the directory of its job. All others
    belong to the root, and lie in the given directory. Paths with a partial identifier lie in a directory of the
    workspace.

    Args:
        root: The configuration, sealed.
        directory: The directory of its job.
        workspace: The workspace.
        enter: Says which configurations to look at; None for all.
    """

    def __init__(self, root: Any, directory: Path, workspace: Path, enter: Callable[[Any], bool] | None = None) -> None:
        self.paths: dict[tuple[int, str], Path] = {}
        self.workspace = workspace
        configs = reachable(root, enter)
        if not any(schema_of(config).generates for _, config in configs):
            return
        for _, config in configs:  # the outputs of other tasks lie in the directories of these
            maker = state_of(config).source
            if maker is not None and maker is not root and state_of(maker).submitted is not None:
                self.lay_out(maker, Path(state_of(maker).submitted.jobpath))
                self.share(config)
        self.lay_out(root, directory)
        for _, config in reversed(configs):
            if config is not root and state_of(config).submitted is not None:
                self.lay_out(config, Path(state_of(config).submitted.jobpath))

    def share(self, config: Any) -> None:
        """Give an output of a task, which is a copy, the generated paths of the original."""
        for name in schema_of(config).parameters:
            found = self.paths.get((id(state_of(config).origin), name))
            if found is not None:
                self.paths[id(config), name] = found

    def path(self, config: Any, name: str) -> Path | None:
        """The generated path of a parameter; None when it has none, or another value."""
        return self.paths.get((id(config), name))

    def lay_out(self, owner: Any, directory: Path) -> None:
        """Find the generated paths of one owner: its own ones in its directory, all others below `out/`.

        The folders below `out/` are named after the parameters on the first path that leads to the configuration.
        """
        taken: set[Path] = set()
        for trail, config in reachable(owner, unsubmitted):
            for name, parameter in schema_of(config).parameters.items():
                generator = parameter.generator
                if generator is None or name in config.__dict__ or (id(config), name) in self.paths:
                    continue
                folder = directory if config is owner else directory.joinpath("out", *folder_names(str(trail)))
                partial = generator.partial
                place = (self.workspace / partial.folder(config) if partial else folder) / generator.path_in(config)
                while place in taken and not partial:
                    place = place.with_name(f"{place.name}-")
                taken.add(place)
                self.paths[id(config), name] = place


def folder_names(path: str) -> list[str]:
    """The names of folders for the path of a configuration: `Learn.models[3].head` gives `models`, `3`, `head`."""
    return [quote(step, safe=" ") for step in re.split(r"[.\[\]{}'\"]+", path)[1:] if step]


class PathGenerator:
    """A path in the job's directory, as the default of a parameter.

    For a parameter of the task itself, the path is `<job>/<path>`. For a configuration below the task, it is
    `<job>/out/<path to the configuration>/<path>`, so that no two are equal.

    Args:
        path: A relative path, or a function that makes one from the configuration.
        partial: A partial identifier. The path then lies in a directory of the workspace, which all tasks with the same
            partial identifier share.

    Raises:
        DeclarationError: The path leaves the directory, or the function cannot be called with a configuration.

    Example:
        >>> checkpoint: Meta[Path] = field(default_factory=PathGenerator("model.bin"))
    """

    __slots__ = ("partial", "path")

    @edge
    def __init__(self, path: str | Path | Callable[[Any], str | Path] = "", *, partial: Any = None) -> None:
        self.path, self.partial = path, partial
        if not callable(path):
            self.relative(path)
        else:
            refuse_uncallable_with(1, path, "PathGenerator({})", "Write lambda config: ...")

    @edge
    def __call__(self) -> Path:
        raise DeclarationError("PathGenerator", "it was called", "Use it as field(default_factory=PathGenerator(...)).")

    def relative(self, path: str | Path) -> str:
        """A path in one form, checked to stay in its directory."""
        text = PurePosixPath(os.fspath(path)).as_posix()
        if text.startswith("/") or ".." in text.split("/"):
            raise DeclarationError("PathGenerator", f"{text!r} leaves the job's directory", "Give a relative path.")
        return text

    def path_in(self, config: Any) -> str:
        """The path of one configuration, relative to its directory."""
        return self.relative(self.path(config) if callable(self.path) else self.path)

    def path_of(self, config: Any, name: str, where: str) -> Path:
        """The path of a parameter in the directory of its job.

        Raises:
            MissingParameterError: The task is not submitted.
        """
        own = state_of(config)
        if own.origin is not None:
            return self.path_of(own.origin, name, where)
        owner = config if own.submitted is not None else own.owner
        if owner is None or state_of(owner).submitted is None:
            self.not_yet(where, config)
        job = Path(state_of(owner).submitted.jobpath)
        enter = unsubmitted if config is owner else None  # a task's own paths do not depend on what is below
        found = Layout(owner, job, job.parents[2], enter).path(config, name)
        return found or self.not_yet(where, config)

    def not_yet(self, where: str, config: Any) -> NoReturn:
        """Refuse to name a path before the directory of its job is known."""
        remedy = "Read it once it is submitted."
        if schema_of(config).task:
            here = f"{type(config).__name__}.C(...).instance().execute()"
            remedy = f"{remedy} To run it here, for debugging: {here}."
        wrong = "this path is made in the job's directory, which is not known yet"
        raise MissingParameterError(where, wrong, remedy)
