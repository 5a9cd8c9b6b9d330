"""A tar appears once it is whole, or not at all."""

from __future__ import annotations

import errno
import os
import tarfile
from pathlib import Path

import pytest

from xpm_core.errors import ExchangeError, WorkspaceError
from xpm_core.exchange.exporting import tar_writer
from xpm_core.exchange.exporting.tar_writer import TarWriter, written_whole


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.tgz"])
def test_a_tar_has_what_was_added(tmp_path: Path, name: str) -> None:
    (tmp_path / "model").write_bytes(b"m" * 3000)
    os.chmod(tmp_path / "model", 0o755)
    seen: list[int] = []
    with written_whole(tmp_path / name) as stream:
        tar = TarWriter(stream, "digits", seen.append)
        tar.add("README.txt", b"text")
        tar.copy("jobs/a/model", str(tmp_path / "model"))
        tar.copy("jobs/a/\udcff\n\N{SNOWMAN}" + "x" * 120, str(tmp_path / "model"))
        tar.close()
    with tarfile.open(tmp_path / name) as found:
        names = found.getnames()
        assert names[:2] == ["digits/README.txt", "digits/jobs/a/model"]
        assert names[2] == "digits/jobs/a/\udcff\n\N{SNOWMAN}" + "x" * 120
        assert found.getmember("digits/jobs/a/model").mode == 0o755
        assert {(member.uid, member.uname) for member in found} == {(0, "")}
    assert sum(seen) == 6004


def test_nothing_is_left_behind_after_an_error(tmp_path: Path) -> None:
    def half() -> None:
        with written_whole(tmp_path / "x.tar") as stream:
            stream.write(b"half")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        half()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_error_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self, file: object) -> None:
            self.file = file

        def write(self, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "no space")

    real = tar_writer._Checked
    monkeypatch.setattr(tar_writer, "_Checked", lambda file, path: real(Full(file), path))  # type: ignore[arg-type]

    def write() -> None:
        with written_whole(tmp_path / "x.tar") as stream:
            tar = TarWriter(stream, "digits")
            for number in range(3000):
                tar.add(f"file{number}", b"x" * 1000)
            tar.close()

    with pytest.raises(WorkspaceError, match=r"x\.tar: cannot be written: no space left on device.*Free some space"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_text("mine")
    with pytest.raises(ExchangeError, match="exists already"), written_whole(tmp_path / "x.tar"):
        pass
    assert (tmp_path / "x.tar").read_text() == "mine"


def test_a_file_that_becomes_shorter_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").write_text("x" * 100)

    def shorter(descriptor: int) -> os.stat_result:
        about = list(os.stat(descriptor))
        about[6] = 200
        return os.stat_result(about)

    with written_whole(tmp_path / "x.tar") as stream:
        tar = TarWriter(stream, "digits")
        monkeypatch.setattr(tar_writer.os, "fstat", shorter)
        with pytest.raises(ExchangeError, match="became shorter"):
            tar.copy("log", str(tmp_path / "log"))
