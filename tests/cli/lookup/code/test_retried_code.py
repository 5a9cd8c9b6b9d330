"""The code of jobs that run again, where its description is missing, damaged, or not to be believed.

Real edits and real workers are in tests/whole/scripts/test_code.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from helpers.simulated_jobs import Lab

from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import KeptFile, Manifest
from xpm_core.snapshot.provenance import Provenance, Tree
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.workspace.job_spec import JobOptions

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]
ERROR = {"type": "ValueError", "message": "no"}


class Failed:
    """A failed job whose code lies in a folder."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder, self.store = lab, folder, CodeStore(lab.workspace.path)
        folder.mkdir()
        (folder / "train.py").write_text("x = 1\n")
        digest = self.store.put_object(b"x = 1\n")
        manifest = Manifest([folder.name], [KeptFile(0, "train.py", 0o644, digest, 6)])
        self.snapshot = self.store.put("snapshots", manifest.data)
        trees = [Tree(folder.name, [str(folder)])]
        self.provenance = self.store.put("provenance", Provenance(self.snapshot, trees).written())
        lab.join()
        lab.end("a", State.FAILED, ERROR)
        self.write(snapshot=self.snapshot, provenance=self.provenance)

    @property
    def key(self) -> str:
        return keys.job(self.lab.workspace.id, self.lab.identity("a"))

    def write(self, **options: Any) -> None:
        """Let the job have these options."""
        self.lab.client.hset(self.key, "options", json.dumps({**JobOptions().written, **options}))

    def options(self) -> dict[str, str]:
        return dict(json.loads(self.lab.client.hget(self.key, "options") or b"{}"))

    @property
    def state(self) -> str:
        return (self.lab.client.hget(self.key, "state") or b"").decode()


@pytest.fixture
def failed(lab: Lab, tmp_path: Path) -> Failed:
    return Failed(lab, tmp_path / "project")


def refused(failed: Failed, xpm: Xpm, said: str) -> None:
    """`--code now` is refused, and the job stays as it is."""
    before = failed.options()
    result = xpm("retry", failed.lab.identity("a"), "--code", "now")
    assert result.exit_code == 1, result.stderr
    assert said in result.stderr
    assert (failed.state, failed.options()) == ("failed", before)


def test_todays_code_replaces_the_jobs_own_and_says_where_it_came_from(failed: Failed, xpm: Xpm) -> None:
    (failed.folder / "train.py").write_text("x = 2\n")
    result = xpm("retry", failed.lab.identity("a"), "--code", "now")
    options = failed.options()
    now = options["snapshot"]
    said = f"its code is {now[:7]} now, not {failed.snapshot[:7]}: 1 file differs now (train.py)\n"
    assert result.stderr.startswith(said)
    assert failed.state == "ready"
    provenance = Provenance.read(failed.store.get("provenance", options["provenance"]))
    assert (provenance.snapshot, provenance.trees[0].roots) == (now, [str(failed.folder)])
    assert failed.store.manifest(now).files[0].path == "train.py"


def test_a_job_that_uses_live_code_has_todays_anyway(failed: Failed, xpm: Xpm) -> None:
    failed.write()
    assert xpm("retry", failed.lab.identity("a"), "--code", "now").exit_code == 0
    assert (failed.state, failed.options()) == ("ready", dict(JobOptions().written))


def test_a_job_that_does_not_say_where_its_code_came_from_is_refused(failed: Failed, xpm: Xpm) -> None:
    failed.write(snapshot=failed.snapshot)
    refused(failed, xpm, "Train/ca97811: it does not say where its code came from. Run its script again")


def test_a_missing_description_is_said_and_its_own_code_is_used(failed: Failed, xpm: Xpm) -> None:
    os.unlink(failed.store.document_path("provenance", failed.provenance))
    refused(failed, xpm, "this description of the submission")
    result = xpm("retry", failed.lab.identity("a"))
    assert f"its code is {failed.snapshot[:7]}; what differs now is not known: this description of" in result.stderr
    assert failed.state == "ready"


def test_an_option_of_a_later_xpm_would_be_lost_so_that_is_refused(failed: Failed, xpm: Xpm) -> None:
    failed.write(snapshot=failed.snapshot, provenance=failed.provenance, flavour="dark")
    refused(failed, xpm, "it has the option 'flavour', which this version does not know. Use the version with which")
    failed.write(snapshot="x", provenance=failed.provenance)
    refused(failed, xpm, "its option snapshot is 'x', expected 64 hexadecimal digits, or nothing")


@pytest.mark.parametrize("snapshot", [3, ["x"], {"a": 1}, "../x", "\x1b[2J"])
def test_what_others_have_written_as_a_snapshot_is_not_shown(failed: Failed, xpm: Xpm, snapshot: Any) -> None:
    failed.write(snapshot=snapshot)
    assert "code" not in xpm("retry", failed.lab.identity("a")).stderr
    assert failed.state == "ready"


def test_files_that_another_user_has_named_are_not_taken(
    failed: Failed, xpm: Xpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    refused(failed, xpm, "another user has submitted it, from files of that user. Run its script again")


def test_an_unknown_code_is_a_usage_error(failed: Failed, xpm: Xpm) -> None:
    assert xpm("retry", failed.lab.identity("a"), "--code", "old").exit_code == 2
    assert failed.state == "failed"
