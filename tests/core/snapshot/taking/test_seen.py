"""When a digest is believed that was noted before, whatever the clocks do."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from xpm_core.snapshot.taking.seen import CLEARLY_NS, Seen, is_settled

DIGEST = "ab" * 32


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.py").write_text("x = 1")
    return tmp_path / "root" / "a.py"


def seen_in(folder: Path) -> Seen:
    return Seen(str(folder / "seen"), str(folder / "root"))


def test_a_file_that_did_not_change_is_known_in_another_process(tmp_path: Path, file: Path) -> None:
    seen = seen_in(tmp_path)
    seen.note("a.py", file.stat(), DIGEST, time.time_ns() + 2 * CLEARLY_NS)
    seen.write({"a.py"})
    assert seen_in(tmp_path).digest("a.py", file.stat()) == DIGEST


@pytest.mark.parametrize("change", ["content", "times", "mode", "replaced"])
def test_a_file_that_changed_in_any_way_is_read_again(tmp_path: Path, file: Path, change: str) -> None:
    seen, before = seen_in(tmp_path), file.stat()
    seen.note("a.py", before, DIGEST, time.time_ns() + 2 * CLEARLY_NS)
    if change == "content":
        file.write_text("x = 2")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif change == "times":
        os.utime(file, ns=(1, 1))
    elif change == "mode":
        file.chmod(0o700)
    else:
        (file.parent / "b").write_text("x = 3")
        (file.parent / "b").replace(file)
    assert seen.digest("a.py", file.stat()) is None


def test_a_file_that_was_just_written_is_not_believed(tmp_path: Path, file: Path) -> None:
    seen = seen_in(tmp_path)
    changed = max(file.stat().st_mtime_ns, file.stat().st_ctime_ns)
    for read_ns in (changed, changed + CLEARLY_NS, changed - 10**18, 0):  # also if the clock was put back
        seen.note("a.py", file.stat(), DIGEST, read_ns)
        assert seen.digest("a.py", file.stat()) is None


def test_a_change_in_the_future_is_never_believed(file: Path) -> None:
    ahead = time.time_ns() + 10**15
    os.utime(file, ns=(ahead, ahead))
    assert not is_settled(file.stat(), time.time_ns() + CLEARLY_NS)


def test_a_clock_of_whole_seconds_is_never_believed() -> None:
    for ctime_ns, believed in ((5_000_000_000, False), (5_000_000_001, True)):
        fields = [0o100644, 1, 1, 1, 0, 0, 1, 0, 0, 5]
        status = os.stat_result((*fields, 0, 0, 0, 0, 5_000_000_000, ctime_ns))
        assert status.st_ctime_ns == ctime_ns
        assert is_settled(status, 10**18) is believed


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"version": 1}', '{"version": 2, "root": "R", "files": {}}', "FORGED", "\0\0\0"]
)
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, file: Path, damage: str) -> None:
    seen = seen_in(tmp_path)
    seen.note("a.py", file.stat(), DIGEST, time.time_ns() + 2 * CLEARLY_NS)
    seen.write({"a.py"})
    (kept,) = (tmp_path / "seen").iterdir()
    if damage == "FORGED":
        content = json.loads(kept.read_text())
        content["files"] = {"a.py": [1, 2], "b": None, "c": [0, 0, 0, 0, 0, "../../x"], "d": [None] * 5 + [DIGEST]}
        damage = json.dumps(content)
    kept.write_text(damage)
    again = seen_in(tmp_path)
    assert [again.digest(name, file.stat()) for name in ("a.py", "b", "c", "d")] == [None] * 4


def test_a_file_that_others_could_have_written_is_not_believed(tmp_path: Path, file: Path) -> None:
    seen = seen_in(tmp_path)
    seen.note("a.py", file.stat(), DIGEST, time.time_ns() + 2 * CLEARLY_NS)
    seen.write({"a.py"})
    (kept,) = (tmp_path / "seen").iterdir()
    for mode, believed in ((0o600, DIGEST), (0o664, None), (0o646, None), (0o644, DIGEST)):
        kept.chmod(mode)
        assert seen_in(tmp_path).digest("a.py", file.stat()) == believed


def test_without_rights_for_it_nothing_is_kept_and_nothing_fails(tmp_path: Path, file: Path) -> None:
    (tmp_path / "seen").write_text("a file in the way")
    seen = seen_in(tmp_path)
    seen.note("a.py", file.stat(), DIGEST, time.time_ns() + 2 * CLEARLY_NS)
    seen.write({"a.py"})
    assert seen.digest("a.py", file.stat()) == DIGEST
