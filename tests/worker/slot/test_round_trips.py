"""How often a busy worker speaks to the server: once a job, and never more than twice."""

from __future__ import annotations

import pytest
import worker_tasks as t
from helpers.daemons import Crew

from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.store.tokens import create_token

pytestmark = pytest.mark.redis

FEW, MANY = 5, 45


def reads(crew: Crew) -> int:
    """How often the server has read something from a client so far; what scripts call does not count."""
    return int(crew.client.info("stats")["total_reads_processed"])


def spoken(crew: Crew, jobs: int, **options: object) -> int:
    """How often the server reads something while a daemon runs so many jobs and leaves."""
    crew.submit(*(t.Write.C(note=f"{jobs}-{n}") for n in range(jobs)), **options)
    before = reads(crew)
    assert crew.start("--burst", lease_s=60.0).left() == 0
    return reads(crew) - before


@pytest.mark.parametrize("demand", [{}, {"cpu": 1, "gpu": 2}], ids=["no tokens", "two tokens"])
def test_a_busy_worker_needs_at_most_two_round_trips_a_job(crew: Crew, demand: dict[str, int]) -> None:
    for name in demand:
        create_token(crew.client, name, 2)
    few, many = spoken(crew, FEW, demand=demand), spoken(crew, MANY, demand=demand)
    assert Reader(crew.client, crew.workspace.id).jobs.counts()[State.DONE] == FEW + MANY
    assert (many - few) / (MANY - FEW) <= 2
