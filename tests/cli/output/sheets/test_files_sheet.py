"""What `xpm status` shows when only the files of the workspace answer."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def test_files_say_how_jobs_ended_and_not_how_others_stand(seen: Xpm) -> None:
    result = seen("status", away=True)
    assert "read from its files" in result.stdout
    assert "experiment  sweep   8 jobs" in result.stdout
    assert "jobs        1 done   1 failed   1 cancelled   5 not known to have ended" in result.stdout
    assert "workers" not in result.stdout


def test_json_has_the_same_fields_as_with_the_server(seen: Xpm) -> None:
    live, away = (json.loads(seen("status", "--json", away=each).stdout) for each in (False, True))
    assert set(live) == set(away)
    assert live["age_s"] == 0 < away["age_s"]
    assert (away["server"], away["unknown"], away["tokens"], away["workers"]) == (None, 5, None, None)
    assert {name: count for name, count in away["jobs"].items() if count} == {"done": 1, "failed": 1, "cancelled": 1}


def test_one_experiment_is_asked_for_by_name(seen: Xpm) -> None:
    assert json.loads(seen("status", "sweep", "--json", away=True).stdout)["experiment"] == "sweep"
    unknown = seen("status", "swep", away=True)
    assert unknown.exit_code == 2
    assert "Experiment 'swep': not in this workspace, there is sweep." in unknown.stderr
