"""All checks together: none hinders another, and --repair can be repeated, also while workers run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from helpers.invariants import check_everything
from helpers.simulated_jobs import Lab
from helpers.waiting import wait_until
from tasks.worker_tasks import Write

from xpm_core.diagnosis import checks
from xpm_core.diagnosis.findings import Finding, Level, error
from xpm_core.diagnosis.patient import Patient
from xpm_core.errors import WorkspaceError
from xpm_core.reading.look import View
from xpm_core.states import State
from xpm_core.store import keys

if TYPE_CHECKING:
    from helpers.daemons import Crew

pytestmark = pytest.mark.redis


def test_check_that_cannot_be_made_is_unknown_and_hinders_no_other(
    lab: Lab, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bad(_: Patient) -> Iterator[Finding]:
        yield error("bad", "one thing", "")
        raise WorkspaceError("/data", "is away", "Mount it.")

    def good(_: Patient) -> Iterator[Finding]:
        yield error("good", "another", "")

    monkeypatch.setattr(checks, "CHECKS", (("bad", bad, False), ("good", good, False)))
    with View(lab.workspace, redis_url) as view:
        found = list(checks.examine(Patient(view), repair=True))
    assert [(each.subject, each.level) for each in found] == [
        ("bad", Level.ERROR),
        ("bad", Level.UNKNOWN),
        ("good", Level.ERROR),
    ]
    assert "not checked: /data: is away. Mount it." in found[1].text


def test_server_that_refuses_a_command_makes_checks_unknown(lab: Lab, redis_url: str) -> None:
    lab.submit("a")
    lab.client.set(keys.counts(lab.workspace.id), "spoiled")
    with View(lab.workspace, redis_url) as view:
        found = [each for each in checks.examine(Patient(view)) if each.level is Level.UNKNOWN]
    assert {each.subject for each in found} >= {"lists", "view for RQ"}


@pytest.mark.slow
def test_repair_is_safe_while_a_worker_runs_jobs(crew: Crew, redis_url: str) -> None:
    tasks = [Write.C(note=str(number)) for number in range(60)]
    crew.submit(*tasks)
    crew.started(slots=2)
    with View(crew.workspace, redis_url) as view:
        while view.reader.jobs.counts()[State.DONE] < len(tasks):
            for key in crew.client.keys("rq:queue:*") + crew.client.keys("rq:job:*")[:5]:
                crew.client.delete(key)
            view.refresh()
            list(checks.examine(Patient(view), repair=True))
    wait_until(lambda: all(crew.directory(task).is_marked() for task in tasks))
    with View(crew.workspace, redis_url) as view:
        list(checks.examine(Patient(view), repair=True))
        again = list(checks.examine(Patient(view), repair=True))
    assert Level.MENDED not in {each.level for each in again}
    check_everything(crew.client, crew.workspace.id)
    assert all(len(crew.directory(task).records()) == 1 for task in tasks)
