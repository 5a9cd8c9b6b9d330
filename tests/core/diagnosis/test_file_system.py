"""The kind of a file system, by the kernel's table of mounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_core.diagnosis import file_system

TABLE = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt rw - xfs /dev/sdb rw
31 22 0:41 / /mnt/data\\040sets rw shared:7 - nfs4 head:/export rw
32 22 0:42 / /mnt/data\\040sets rw - nfs head:/other rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me", "ext4"),
        ("/mnt", "xfs"),
        ("/mntal", "ext4"),
        ("/mnt/data", "xfs"),
        ("/mnt/data sets/xpm", "nfs"),
    ],
)
def test_kind_is_that_of_the_latest_mount_in_which_a_path_lies(tmp_path: Path, path: str, kind: str) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(TABLE)
    assert file_system.kind_of(Path(path), table) == kind


def test_kind_is_unknown_without_a_table(tmp_path: Path) -> None:
    assert file_system.kind_of(tmp_path, tmp_path / "nothing") == ""


def test_shared_file_system_is_noted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(file_system, "kind_of", lambda _: "nfs4")
    assert file_system.is_shared(tmp_path)
    assert "may be seen late" in file_system.named(tmp_path)
