"""What workers cannot import, which jobs need it, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from helpers.simulated_jobs import Lab

from xpm_core.labels import short
from xpm_core.store.records import WorkerId
from xpm_core.store.refusals import Refusal

if TYPE_CHECKING:
    from conftest import Doctor

pytestmark = pytest.mark.redis

ERROR = {"type": "TaskImportError", "message": "cannot import"}
REFUSAL = Refusal.of_module("gpu", "node1", "datasets", "/data/code")


def refuse(lab: Lab, *names: str) -> None:
    """Let the worker refuse the first of some jobs."""
    for name in names:
        lab.submit(name, project="project")
    lab.store.refuse(lab.worker, lab.claim(lab.identity(names[0])), REFUSAL, ERROR)


def test_no_refusal_is_fine(lab: Lab, doctor: Doctor) -> None:
    lab.join()
    assert doctor().levels("imports") == ["ok"]


def test_refusal_names_worker_module_jobs_and_remedy(lab: Lab, doctor: Doctor) -> None:
    lab.join()
    lab.store.join(WorkerId("other-1", "node2"), pid=1, path=str(lab.workspace.path), version="0")
    refuse(lab, "a", "b")
    found = doctor()
    finding = found.about("worker node1-1")
    assert (found.code, finding["level"]) == (1, "error")
    assert finding["text"].startswith("cannot import datasets: looked in /data/code; 2 ready jobs may need it: ")
    assert {short(lab.identity("a")), short(lab.identity("b"))} <= set(finding["text"].replace(",", "").split())
    assert finding["remedy"] == "install it there, or start the worker with --pythonpath"


def test_jobs_that_nobody_could_import_are_named(lab: Lab, doctor: Doctor) -> None:
    lab.join()
    refuse(lab, "a")
    found = doctor().about("imports")
    assert found["text"] == f"1 job failed because no worker could import their code: {short(lab.identity('a'))}"
    assert found["remedy"].endswith("xpm retry --failed")
