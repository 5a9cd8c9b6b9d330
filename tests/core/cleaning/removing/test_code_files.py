"""Kept code is removed while scripts take snapshots: what a script has found, or written, is there afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.stored_code import Code

from xpm_core.cleaning.code.freeing import Freeing
from xpm_core.cleaning.code.kept import KeptCode
from xpm_core.cleaning.code.naming import Naming
from xpm_core.cleaning.records import Item
from xpm_core.cleaning.removing import code_files
from xpm_core.cleaning.removing.code_files import remove_code

SCRIPT = """
import sys
from pathlib import Path
from helpers.stored_code import Code
code = Code(Path(sys.argv[1]))
print("here", flush=True)
for number in range(int(sys.argv[2])):
    print(code.snapshot(train=f"content {number}", lib="shared"), flush=True)
"""


@pytest.fixture
def code(tmp_path: Path) -> Code:
    return Code(tmp_path)


def items(workspace: Path) -> list[Item]:
    """All code that could go, when no job names any."""
    freeing = Freeing(KeptCode(workspace), Naming(workspace, {}))
    return freeing.items([], everything=True, is_older=lambda _: True)


def test_what_was_planned_goes_and_no_trash_stays(code: Code) -> None:
    code.snapshot(train="1")
    code.age()
    freed, failures = remove_code(code.workspace, items(code.workspace), set())
    assert (len(freed), failures, code.there) == (1, [], set())
    assert freed[0].size > 0
    assert sorted(path.name for path in code.store.folder.iterdir()) == ["objects", "snapshots"]


@pytest.mark.parametrize("when", ["before it is renamed", "after it is renamed", "after it was looked at"])
@pytest.mark.parametrize("kind", ["snapshots", "objects"])
def test_a_script_that_takes_the_same_snapshot_meanwhile_has_it(
    code: Code, monkeypatch: pytest.MonkeyPatch, when: str, kind: str
) -> None:
    snapshot = code.snapshot(train="1", lib="2")
    contents = code.contents(snapshot)
    code.age()
    planned = items(code.workspace)
    calls: list[str] = []

    def take() -> None:
        if not calls:
            calls.append(when)
            assert code.snapshot(train="1", lib="2") == snapshot

    def renaming(source: str, target: str) -> None:
        ours = f"/{kind}/" in source
        if ours and when == "before it is renamed":
            take()
        rename(source, target)
        if ours and when == "after it is renamed":
            take()

    def looking(removal: code_files._CodeRemoval, path: str, grace_s: float) -> bool:
        found = look(removal, path, grace_s)
        if kind in path and ".removed-" in path and when == "after it was looked at":
            take()
        return found

    rename, look = os.rename, code_files._CodeRemoval._is_young
    monkeypatch.setattr(code_files._CodeRemoval, "_is_young", looking)
    monkeypatch.setattr(code_files.os, "rename", renaming)
    remove_code(code.workspace, planned, set())
    assert calls == [when]
    assert code.there == {snapshot} | contents


def test_a_script_that_is_another_process_loses_nothing(code: Code) -> None:
    count = 300
    for number in range(count):
        code.snapshot(train=f"content {number}", lib="shared")
    code.age()
    planned = items(code.workspace)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = [sys.executable, "-c", SCRIPT, str(code.workspace), str(count)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as script:
        assert script.stdout is not None
        assert script.stdout.readline() == "here\n"
        _, failures = remove_code(code.workspace, planned, set())
        taken = script.stdout.read().split()
    assert (len(taken), failures, script.returncode) == (count, [], 0)
    assert {file.digest for each in taken for file in code.store.manifest(each).files} <= code.there


def test_what_a_job_names_that_stays_against_the_plan_stays(code: Code) -> None:
    snapshot = code.snapshot(train="1")
    told = code.provenance(snapshot, code.packages("numpy==2"))
    before = code.there
    code.age()
    assert remove_code(code.workspace, items(code.workspace), {told}) == ([], [])
    assert code.there == before


def test_what_another_gc_has_removed_is_no_failure(code: Code) -> None:
    code.snapshot(train="1")
    code.age()
    planned = items(code.workspace)
    remove_code(code.workspace, planned, set())
    assert remove_code(code.workspace, planned, set()) == ([], [])


def test_what_cannot_be_removed_is_said(code: Code, monkeypatch: pytest.MonkeyPatch) -> None:
    code.snapshot(train="1")
    code.age()
    planned = items(code.workspace)
    refuse: Callable[..., None] = lambda *_: (_ for _ in ()).throw(PermissionError(13, "no"))  # noqa: E731
    monkeypatch.setattr(code_files.os, "rename", refuse)
    freed, failures = remove_code(code.workspace, planned, set())
    assert freed == []
    assert {left.problem for left in failures} == {"permission denied"}
