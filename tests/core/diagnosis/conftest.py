"""The doctor, typed in a workspace with simulated jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import redis
from click.testing import CliRunner
from helpers.simulated_jobs import Lab
from helpers.typed_commands import AWAY

from xpm_cli import main
from xpm_core.diagnosis.jobs import links, markers
from xpm_core.workspace.workspace import Workspace


@dataclass(frozen=True)
class Visit:
    """What the doctor has said.

    Attributes:
        code: The exit code.
        findings: The findings, in order.
    """

    code: int
    findings: list[dict[str, Any]]

    def about(self, subject: str) -> dict[str, Any]:
        """The one finding of a subject that is not fine."""
        [found] = [each for each in self.findings if each["subject"] == subject and each["level"] != "ok"]
        return found

    def levels(self, subject: str) -> list[str]:
        """How bad the findings of a subject are."""
        return [each["level"] for each in self.findings if each["subject"] == subject]

    @property
    def faults(self) -> list[dict[str, Any]]:
        """What is wrong, but for the tests' server, which has no AOF."""
        return [each for each in self.findings if each["level"] in ("warning", "error") and "AOF" not in each["text"]]


Doctor = Callable[..., Visit]


@pytest.fixture
def lab(workspace: Workspace, redis_client: redis.Redis) -> Lab:
    return Lab(workspace, redis_client)


@pytest.fixture
def doctor(workspace: Workspace, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Type `xpm doctor --json`, with further words; with `away=True`, the server cannot be had."""
    for module in (links, markers):
        monkeypatch.setattr(module, "MOMENT_S", 0.02)  # no script or worker is about to write something

    def visit(*words: str, away: bool = False) -> Visit:
        monkeypatch.setenv("XPM_REDIS_URL", AWAY if away else redis_url)
        result = CliRunner().invoke(main, ["doctor", "--json", "--workspace", str(workspace.path), *words])
        assert result.stdout, result.exception
        return Visit(result.exit_code, json.loads(result.stdout)["findings"])

    return visit
