"""A worker's side of a starter, without a server.

`from helpers.starter_client import StarterClient`; the fixture around it is in worker/starter/conftest.py.
"""

from __future__ import annotations

import select
import socket
from typing import Any

import psutil
import worker_tasks as tasks
from helpers.waiting import PATIENCE_S, wait_until

from xpm_core.config import Task
from xpm_core.identity import seal, task_id
from xpm_core.wire import payload
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.workspace import Workspace
from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.messages import AttemptEnded, AttemptStarted, Hello, Message, RunJob
from xpm_worker.slot import starter_link
from xpm_worker.system import clock


class StarterClient:
    """A worker's side of a starter."""

    def __init__(self, control: socket.socket, workspace: Workspace) -> None:
        self.workspace = workspace
        self.channel = Channel(starter_link.ask(control))
        self._heard: list[Message] = []
        self.hello = self.hear(Hello)
        self._count = 0

    def hear(self, kind: type[Any], timeout_s: float = PATIENCE_S) -> Any:
        """The next message of a kind."""
        while True:
            for number, message in enumerate(self._heard):
                if isinstance(message, kind):
                    return self._heard.pop(number)
            assert not self.channel.closed, "the starter is gone"
            assert select.select([self.channel], [], [], timeout_s)[0], f"no {kind.__name__} within {timeout_s:g} s"
            self._heard += self.channel.receive()

    def directory(self, task: Task) -> JobDirectory:
        return self.workspace.job(task_id(type(task)), seal(task))

    def start(self, task: Task, **more: Any) -> RunJob:
        """Tell the starter to run a task."""
        self._count += 1
        identity, name = seal(task), task_id(type(task))
        fields: dict[str, Any] = {
            "execution": f"e{self._count}",
            "identity": identity,
            "task": name,
            "label": f"{type(task).__name__}/{identity[:7]}",
            "workspace": str(self.workspace.path),
            "directory": self.workspace.directory_of(name, identity),
            "payload": payload.pack(task, self.workspace.path),
            "attempt": 1,
            "resumable": False,
            "template": True,
            "env": {},
            "timeout_s": None,
            "lease_until": clock.boot_time() + 600,
            "worker": "w1",
            "host": "node1",
        }
        run = RunJob(**{**fields, **more})
        self.channel.send(run)
        while self.channel.pending:
            select.select([], [self.channel], [])
            self.channel.flush()
        return run

    def run(self, task: Task, **more: Any) -> AttemptEnded:
        """Run a task to its end."""
        self.start(task, **more)
        ended = self.hear(AttemptEnded)
        assert isinstance(ended, AttemptEnded)
        self._heard = [
            message for message in self._heard if not isinstance(message, AttemptStarted)
        ]  # told of a slow one
        return ended

    def started(self, task: tasks.Wait, **more: Any) -> tuple[RunJob, psutil.Process]:
        """Run a task, and wait until its code does."""
        run = self.start(task, **more)
        while (word := self.hear(AttemptStarted)).execution != run.execution:
            pass  # it is of one that ran before
        process = psutil.Process(word.pid)
        wait_until((self.directory(task).path / "pid").exists)
        return run, process
