"""What a script sends of its run, with real jobs."""

from __future__ import annotations

import json
import logging
import re
import threading
from pathlib import Path

import pytest
from helpers.hook_packages import install
from helpers.playground import Stage
from script_tasks import Fail, Write

from xpm_core.errors import FailedExperiment
from xpm_core.script.announce import announcer as announcing

pytestmark = pytest.mark.redis

HOOK = """
import json

def run_ended(run):
    facts = [run.experiment, run.outcome, dict(run.counts), run.directory.name != "", "done" in run.report]
    (run.workspace.parent / "told.json").write_text(json.dumps(facts))
"""


@pytest.fixture
def sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user whose settings have a command. It writes each message into a file of this folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "sent"
    folder.mkdir()
    file = tmp_path / "config" / "xpm" / "settings.toml"
    file.parent.mkdir(parents=True)
    command = f'(echo "$XPM_EXPERIMENT $XPM_OUTCOME $XPM_TITLE"; cat) > {folder}/$XPM_EVENT-$$'
    file.write_text(f"[notify]\ncommand = '{command}'\n")
    return folder


def messages(sent: Path) -> dict[str, list[str]]:
    return {each.name.partition("-")[0]: each.read_text().splitlines() for each in sorted(sent.iterdir())}


def test_the_first_failure_and_the_end_are_sent_with_the_causes(stage: Stage, sent: Path) -> None:
    name = stage.name()
    with stage.failing(name) as failing:
        for _ in range(3):
            Fail.C(note=stage.note()).submit()
        Write.C(note=stage.note()).submit()
    found = messages(sent)
    assert len(list(sent.iterdir())) == 2
    assert set(found) == {"failure", "end"}
    first, end = found["failure"], found["end"]
    assert re.fullmatch(f"{name} failed {name}: Fail/[0-9a-f]{{7}} has failed", first[0])
    assert any(each.startswith("✗ ") for each in first)
    assert any("more:" in each and "xpm show" in each for each in first)
    assert end[0].startswith(f"{name} failed {name}: 1 done, 3 failed in ")
    assert "\n".join(end).endswith(failing.report)


def test_a_run_that_is_done_sends_its_report(stage: Stage, sent: Path) -> None:
    with stage.experiment():
        Write.C(note=stage.note()).submit()
    (text,) = messages(sent).values()
    assert " done " in text[0]
    assert "1 done" in text[-1]


def test_a_script_that_stops_sends_so_and_ctrl_c_sends_nothing(stage: Stage, sent: Path) -> None:
    with stage.broken():
        Write.C(note=stage.note()).submit()
    (text,) = messages(sent).values()
    assert "the script has stopped" in text[0]
    assert text[-1].endswith("the script stopped with BrokenError.")
    before = set(sent.iterdir())
    with pytest.raises((KeyboardInterrupt, SystemExit)), stage.experiment():
        raise KeyboardInterrupt
    assert set(sent.iterdir()) == before


def test_a_command_that_fails_is_said_and_the_run_is_done(
    stage: Stage, sent: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (sent.parent / "config" / "xpm" / "settings.toml").write_text('[notify]\ncommand = "false s3cret"\n')
    with stage.experiment():
        Write.C(note=stage.note()).submit()
    assert "notify: the command 'false ...' ended with exit code 1" in caplog.text
    assert "s3cret" not in caplog.text


def test_wrong_settings_are_said_and_the_run_is_done(
    stage: Stage, sent: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (sent.parent / "config" / "xpm" / "settings.toml").write_text("[notify]\ncommand = 7\n")
    with stage.experiment():
        Write.C(note=stage.note()).submit()
    assert "notify.command: expected a string" in caplog.text
    assert "Nothing is sent of this run." in caplog.text


def test_the_script_does_not_wait_longer_than_it_may(
    stage: Stage, sent: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(announcing, "LIMIT_S", 0.1)
    (sent.parent / "config" / "xpm" / "settings.toml").write_text('[notify]\ncommand = "sleep 1000"\n')
    with stage.experiment():
        Write.C(note=stage.note()).submit()
    assert "notify: not all was sent before the script left, which waits for 0.1 s" in caplog.text
    assert "notify" not in [thread.name for thread in threading.enumerate()], "what still runs is ended"


def test_only_what_is_wished_for_is_sent(stage: Stage, sent: Path) -> None:
    file = sent.parent / "config" / "xpm" / "settings.toml"
    file.write_text(file.read_text() + 'on = ["failure"]\n')
    with stage.failing():
        Fail.C(note=stage.note()).submit()
    found = messages(sent)
    assert set(found) == {"failure"}
    assert found["failure"][-1] == "The run goes on. No further ones are sent."


def test_hooks_learn_of_the_end_of_a_run(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(install(tmp_path / "site", HOOK, "run_ended"))
    name = stage.name()
    with pytest.raises(FailedExperiment), stage.experiment(name):
        Fail.C(note=stage.note()).submit()
    counts = {"done": 0, "reused": 0, "failed": 1, "blocked": 0, "cancelled": 0, "unfinished": 0}
    assert json.loads((stage.folder / "told.json").read_text()) == [name, "failed", counts, True, True]


def test_a_hook_that_raises_is_logged(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    code = "def run_ended(run):\n    raise OSError(run.outcome)\n"
    monkeypatch.syspath_prepend(install(tmp_path / "site", code, "run_ended", package="brokenhooks"))
    with caplog.at_level(logging.WARNING), stage.experiment():
        Write.C(note=stage.note()).submit()
    assert "hook run_ended (brokenhooks:run_ended): it raised OSError: done" in caplog.text
