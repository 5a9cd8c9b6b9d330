"""Where generated paths lie: in the directory of the job that a configuration belongs to, or in a shared one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from xpm_core.language.graph.state import reachable, state, unsubmitted
from xpm_core.language.parameters.schema import schema_of

JOB, WORKSPACE = Path("<job>"), Path("<workspace>")
"""Stand for directories that are not known yet. They are relative, as no other path is."""


class Layout:
    """The generated paths below a configuration.

    Those of a submitted task, and of the configurations below it, lie in the directory of its job; all others, which
    belong to the root, in the directory given. Paths of a partial identifier lie in a directory of the workspace.

    Args:
        root: The configuration, sealed.
        directory: The directory of its job.
        workspace: The workspace.
        enter: Which configurations to look at; None for all.
    """

    def __init__(self, root: Any, directory: Path, workspace: Path, enter: Callable[[Any], bool] | None = None) -> None:
        self.paths: dict[tuple[int, str], Path] = {}
        self.workspace = workspace
        configs = reachable(root, enter)
        if not any(schema_of(config).generates for _, config in configs):
            return
        for _, config in configs:  # what other tasks have made lies with them
            maker = state(config).source
            if maker is not None and maker is not root and state(maker).submitted is not None:
                self.lay_out(maker, Path(state(maker).submitted.jobpath))
                self.share(config)
        self.lay_out(root, directory)
        for _, config in reversed(configs):
            if config is not root and state(config).submitted is not None:
                self.lay_out(config, Path(state(config).submitted.jobpath))

    def share(self, config: Any) -> None:
        """Let a task's output, which is a copy, have the generated paths of what it is a copy of."""
        for name in schema_of(config).parameters:
            found = self.paths.get((id(state(config).origin), name))
            if found is not None:
                self.paths[id(config), name] = found

    def path(self, config: Any, name: str) -> Path | None:
        """The generated path of a parameter of a configuration; None when it has none, or another value."""
        return self.paths.get((id(config), name))

    def lay_out(self, owner: Any, directory: Path) -> None:
        """Find the generated paths of one owner: its own in its directory, the others below `out/`.

        Folders there are named as the parameters that lead to the configuration, by the first way that does.
        """
        taken: set[Path] = set()
        for trail, config in reachable(owner, unsubmitted):
            for name, parameter in schema_of(config).parameters.items():
                generator = parameter.generator
                if generator is None or name in config.__dict__ or (id(config), name) in self.paths:
                    continue
                folder = directory if config is owner else directory.joinpath("out", *steps(str(trail)))
                partial = generator.partial
                place = (self.workspace / partial.folder(config) if partial else folder) / generator.path_in(config)
                while place in taken and not partial:
                    place = place.with_name(f"{place.name}-")
                taken.add(place)
                self.paths[id(config), name] = place


def steps(path: str) -> list[str]:
    """The names of folders for the path of a configuration: `Learn.models[3].head` gives `models`, `3`, `head`."""
    return [quote(step, safe=" ") for step in re.split(r"[.\[\]{}'\"]+", path)[1:] if step]
