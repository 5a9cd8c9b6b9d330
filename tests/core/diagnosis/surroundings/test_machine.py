"""The versions of this machine."""

from __future__ import annotations

import pytest
from helpers.simulated_jobs import Lab

from xpm_core.diagnosis.findings import Level
from xpm_core.diagnosis.patient import Patient
from xpm_core.diagnosis.surroundings import machine
from xpm_core.reading.look import View

pytestmark = pytest.mark.redis


def test_versions_are_named_and_a_missing_package_is_an_error(
    lab: Lab, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with View(lab.workspace, redis_url) as view:
        [fine] = machine.check(Patient(view))
        monkeypatch.setattr(machine, "versions", lambda: {"python": "3.12.4", "xpm": "0.4", "redis": "8.1"})
        [bad] = machine.check(Patient(view))
    assert (fine.level, fine.subject.startswith("python 3.")) == (Level.OK, True)
    assert "redis-py " in fine.text
    assert (bad.level, bad.text) == (Level.ERROR, "xpm 0.4, redis-py 8.1; not installed: rq")
