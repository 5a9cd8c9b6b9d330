"""Trees are measured and removed without following links, and without entering mounts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xpm_core.cleaning.trees import Mounts, Scale, remove_tree


def test_a_file_with_several_names_counts_once_and_a_link_counts_as_itself(tmp_path: Path) -> None:
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    (tree / "inner").mkdir(parents=True)
    outside.write_bytes(bytes(10_000_000))
    (tree / "data").write_bytes(os.urandom(100_000))
    os.link(tree / "data", tree / "inner" / "same")
    (tree / "link").symlink_to(outside)
    (tree / "inner" / "folder").symlink_to(tmp_path)
    scale = Scale()
    size = scale.size(str(tree))
    assert 100_000 <= size.bytes < 200_000
    assert scale.size(str(tree / "data")).bytes == 0  # it was counted
    os.utime(tree / "inner" / "same", (9e9, 9e9))
    assert Scale().size(str(tree)).newest_s == 9e9


def test_a_sparse_file_counts_by_its_blocks(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1_000_000_000)
    assert Scale().size(str(tmp_path)).bytes < 1_000_000


def test_what_does_not_exist_takes_nothing(tmp_path: Path) -> None:
    assert Scale().size(str(tmp_path / "gone")).bytes == 0
    assert remove_tree(str(tmp_path / "gone")) == []


def test_a_link_is_removed_but_not_what_it_leads_to(tmp_path: Path) -> None:
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    outside.mkdir()
    (outside / "kept").touch()
    tree.mkdir()
    (tree / "link").symlink_to(outside)
    (tmp_path / "alone").symlink_to(outside)
    assert remove_tree(str(tree)) == remove_tree(str(tmp_path / "alone")) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == ["outside"]
    assert (outside / "kept").exists()


def test_what_cannot_be_removed_is_named_and_the_rest_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "inner" / ".nfs0001").touch()
    (tree / "data").touch()
    unlink = os.unlink

    def busy(path: str, **more: object) -> None:
        if str(path).endswith(".nfs0001"):
            raise OSError(16, "busy", path)
        unlink(path, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "unlink", busy)
    failures = remove_tree(str(tree))
    assert [(Path(place).name, problem) for place, problem in failures] == [(".nfs0001", "device or resource busy")]
    assert [each.name for each in tree.iterdir()] == ["inner"]


def test_mounts_are_found_by_the_table_of_the_system(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(f"36 35 98:0 / {tmp_path}/work\\040space/jobs/a/data rw - ext4 /dev/sda rw\n37 35 98:0 / / rw\n")
    mounts = Mounts(tmp_path / "work space", str(table))
    assert mounts.within(f"{tmp_path}/work space/jobs/a")
    assert mounts.within(f"{tmp_path}/work space/jobs/a/data")
    assert not mounts.within(f"{tmp_path}/work space/jobs/ab")
    assert not Mounts(tmp_path, str(tmp_path / "no table")).within(str(tmp_path))
