"""The files that `--deep` reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.private_server import PrivateServer
from tasks.worker_tasks import Fail, Write

from xpm_core.identity import seal
from xpm_core.states import State
from xpm_core.store import keys

if TYPE_CHECKING:
    from conftest import Doctor
    from helpers.daemons import Crew

pytestmark = pytest.mark.redis

SUBJECT = "files of jobs"
DAMAGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "record": ("records of attempts", lambda place: next((place / ".xpm/executions").iterdir()).write_text("{")),
    "parameters": ("params.json cannot be read", lambda place: (place / "params.json").write_text("")),
    "kept job": ("what they ran is not kept", lambda place: (place / ".xpm/handed.json").unlink()),
    "payload": ("cannot be read", lambda place: spoil_payload(place / ".xpm/handed.json")),
}


def spoil_payload(file: Path) -> None:
    text = file.read_text()
    start = text.index('"payload": "') + len('"payload": "')
    file.write_text(text[:start] + "AAAA" + text[start + 4 :])


def test_each_damage_is_found_only_by_deep(crew: Crew, doctor: Doctor, redis_server: PrivateServer) -> None:
    tasks = {name: Write.C(note=name) for name in DAMAGES}
    failed = Fail.C(note="payload on the server")
    crew.submit(*tasks.values(), failed)
    worker = crew.start("--burst")
    assert worker.left() == 0
    crew.wait(failed, State.FAILED)
    assert doctor("--deep").levels(SUBJECT) == ["ok"]
    for name, task in tasks.items():
        DAMAGES[name][1](crew.directory(task).path)
    crew.client.hset(keys.job(crew.workspace.id, seal(failed)), "payload", b"forged")
    assert doctor().levels(SUBJECT) == ["ok"]
    found = [each for each in doctor("--deep").findings if each["subject"] == SUBJECT]
    for said, _ in DAMAGES.values():
        assert any(said in each["text"] for each in found), (said, found)
    [payloads] = [each for each in found if each["level"] == "error"]
    assert payloads["text"].startswith("2 jobs: what they run cannot be read")
