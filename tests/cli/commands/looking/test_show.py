"""`xpm show`: its JSON form and its exit code. tests/cli/output/sheets/test_job_sheet.py looks at its lines."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, PARAMETERS, Lab

from xpm_core.states import State

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def test_json_tells_all_that_is_known(lab: Lab, xpm: Xpm) -> None:
    lab.end("bad", State.FAILED, ERROR)
    after = lab.submit("after", "bad")
    result = xpm("show", "failed", "--json")
    assert result.exit_code == 1
    data = json.loads(result.stdout)
    assert (data["schema"], data["id"], data["state"]) == (1, lab.identity("bad"), "failed")
    assert data["error"] == ERROR
    assert data["needed_by"] == [after]
    assert data["parameters"] == {"name": "bad", **PARAMETERS}
    assert [execution["exit_code"] for execution in data["executions"]] == [1]
    assert json.loads(xpm("show", after, "--json").stdout)["needs"] == {lab.identity("bad"): "failed"}
