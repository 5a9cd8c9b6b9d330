"""A workspace with one job in each state, as scripts and workers leave it.

`from helpers.every_state import EveryState`.
"""

from __future__ import annotations

import time

import redis
from helpers.simulated_jobs import ERROR, Lab

from xpm_core.states import State
from xpm_core.store.records import WorkerId
from xpm_core.store.tokens import create_token
from xpm_core.workspace.job_spec import Retries
from xpm_core.workspace.workspace import Workspace

PARAMS = {"optim": "Adam", "optim.lr": 0.1, "corpus": {"path": "/data/corpus"}, "layers": [3, 3]}
"""The parameters of all jobs, beside their names. The done job has another rate of learning, and a result."""

LONG_S = 3600
"""The lease of the worker, and the pause before a retry, seconds: no test is to see their end."""


class EveryState:
    """One job in each state. Each is tagged with the name of its state.

    Attributes:
        lab: What has made them.
        ids: Their identities, by state.
    """

    def __init__(self, workspace: Workspace, client: redis.Redis) -> None:
        self.lab = Lab(workspace, client)
        self.lab.worker = WorkerId("node1-1", "node1", lease_s=LONG_S)
        self.lab.join()
        create_token(client, "gpu", 2)
        self.ids: dict[State, str] = {}
        self._end()
        self._hold()

    def _end(self) -> None:
        """Make the jobs that have run."""
        lab = self.lab
        for state, error in ((State.DONE, None), (State.FAILED, ERROR)):
            params = {**PARAMS, "optim.lr": 0.01} if state is State.DONE else PARAMS
            results = {"accuracy": 0.9} if state is State.DONE else None
            self.ids[state] = lab.end(state.value, state, error, params=params, results=results).identity
            directory = lab.directory(state.value)
            directory.out.write_text(f"{state.value}: epoch 1\n")
            directory.err.write_text(f"{state.value}: a warning\n")
        retries = Retries(max_retries=1, backoff_s=LONG_S)
        self.ids[State.DELAYED] = lab.end("delayed", State.FAILED, ERROR, params=PARAMS, retries=retries).identity
        self.ids[State.CANCELLED] = lab.submit("cancelled", params=PARAMS)
        lab.store.cancel(self.ids[State.CANCELLED])
        lab.ends.cancelled([self.ids[State.CANCELLED]], time.time())

    def _hold(self) -> None:
        """Make the job that runs, and those that wait."""
        lab = self.lab
        self.ids[State.RUNNING] = lab.start("running", params=PARAMS).identity
        self.ids[State.BLOCKED] = lab.submit("blocked", "failed", params=PARAMS)
        self.ids[State.WAITING] = lab.submit("waiting", "running", params=PARAMS)
        self.ids[State.READY] = lab.submit("ready", params=PARAMS, demand={"gpu": 2})
