"""Workers that have a template, and what its jobs wrote. `from helpers.templates import warmed`."""

from __future__ import annotations

import json
from typing import Any

from helpers.daemons import Crew
from helpers.waiting import wait_until

from xpm_core.config import Task
from xpm_worker.template.main import TEMPLATE_NAME


def read(crew: Crew, task: Task, name: str) -> Any:
    return json.loads((crew.directory(task).path / name).read_text())


def templates(worker: Any) -> list[Any]:
    return worker.named(TEMPLATE_NAME)  # type: ignore[no-any-return]


def warmed(crew: Crew, first: Task, *options: str, env: dict[str, str] | None = None, **submit: Any) -> Any:
    """A worker of one slot that has run a task, and has a template for the next."""
    worker = crew.started(*options, env=env)
    crew.submit(first, **submit)
    crew.wait(first)
    wait_until(lambda: templates(worker), show=lambda: worker.log)
    return worker
