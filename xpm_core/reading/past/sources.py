"""Where the payload of an old job comes from, and whether it is believed.

Reading a payload imports modules: the ones that it names, from today's folders or from its snapshot. So it decides what
runs in this process or in one of the same user. Owns: whose payloads are read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from xpm_core.errors import SignatureError
from xpm_core.wire import signing
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_spec import JobSpec
from xpm_core.workspace.workspace import Workspace

TRUST = "tasks(trust=True) reads it all the same"


def params_of(directory: JobDirectory) -> Mapping[str, Any]:
    """The content of `params.json` of a job; empty if it cannot be read."""
    try:
        found = json.loads(directory.params.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


class Sources:
    """Finds what the jobs of a workspace run.

    Args:
        workspace: The workspace.
        on_server: Returns what a job runs, by the server; None if it does not know that, or cannot be had.
        trust: Whether to believe also what others have written, or what was imported.
    """

    def __init__(self, workspace: Workspace, on_server: Callable[[str], JobSpec | None], *, trust: bool) -> None:
        self._workspace, self._on_server, self._trust = workspace, on_server, trust

    def spec(self, task: str, directory: JobDirectory) -> JobSpec | None:
        """What a job runs, believed or not; None if nobody says it."""
        kept = directory.kept(task)
        return self._on_server(directory.identity) if kept is None else kept.spec

    def believed(self, task: str, directory: JobDirectory) -> JobSpec | str:
        """What a job runs; or why that is not known, or not believed."""
        key = signing.key_in(os.environ)
        if directory.is_imported() and not self._trust:
            return f"it was imported, and reading it can run code that came with it: {TRUST}"
        kept = directory.kept(task, own=key is None and not self._trust)
        if kept is None and directory.kept(task) is not None:
            return f"another user has written it, and reading it can run code: {TRUST}"
        spec = self._on_server(directory.identity) if kept is None else kept.spec
        if spec is None:
            return "its directory does not say what it runs, and its server does not know it"
        if key is not None and not self._trust:
            try:
                signing.verify(key, self._workspace.id, spec)
            except SignatureError as error:
                return f"{error} Or: {TRUST}"
        wrong = [f"it has the option {name!r}, which this version does not know" for name in spec.options.unknown]
        return next(iter([*wrong, *spec.options.problems()]), spec)
