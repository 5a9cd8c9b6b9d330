"""Only plain files below one folder come out of a tar; all else is refused, before its content is read."""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path

import pytest
from helpers.forged_tars import member, packed
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.errors import ExchangeError
from xpm_core.exchange.importing import archive
from xpm_core.exchange.importing.archive import Archive

BLOCK = 512


def read(path: Path, most: int | None = None) -> dict[str, bytes]:
    """What is in a file."""
    with Archive(path, most) as found:
        return {name: content.read() for name, _, content in found.members()}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_files_come_out_as_they_went_in(tmp_path: Path, mode: str) -> None:
    files = {"d/a": b"1" * BLOCK, "d/b/c\n": b"2" * 5000, "d/b/" + "x" * 200: b"", "d/\udcff": b"3"}
    path = packed(tmp_path / "x.tar", files, member("d/e", tarfile.DIRTYPE), mode=mode)
    assert read(path) == {name[2:]: data for name, data in files.items()}


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (member("d/x", tarfile.SYMTYPE, link="/etc/passwd"), "is a link"),
        (member("d/x", tarfile.LNKTYPE, link="d/a"), "is a link"),
        (member("d/x", tarfile.CHRTYPE), "is a device"),
        (member("d/x", tarfile.BLKTYPE), "is a device"),
        (member("d/x", tarfile.FIFOTYPE), "is a device or a pipe"),
        (member("d/x", tarfile.CONTTYPE), "neither a file nor a folder"),
        (member("d/x", b"V"), "neither a file nor a folder"),
        (member("/d/x"), "is an absolute path"),
        (member("/etc/passwd"), "is an absolute path"),
        (member("d/../../x"), "leaves its folder"),
        (member(".."), "leaves its folder"),
        (member("d/./x"), "no plain path"),
        (member("d//x"), "no plain path"),
        (member("./d/x"), "no plain path"),
        (member("e/x"), "is not in the folder 'd'"),
        (member("d/a"), "is there twice"),
        (member("d/b"), "is there twice"),
        (member("d/a/x"), "which is a file"),
        (member("d/" + "x" * 256), "too long a name"),
        (member("d/" + "x/" * 2000 + "y"), "too long a name"),
    ],
)
def test_what_no_export_holds_is_refused(tmp_path: Path, other: tarfile.TarInfo, problem: str) -> None:
    path = packed(tmp_path / "x.tar", {"d/a": b"1", "d/b/c": b"2"}, other)
    with pytest.raises(ExchangeError, match=problem):
        read(path)


def test_sparse_files_are_refused(tmp_path: Path) -> None:
    sparse = member("d/x")
    sparse.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.map": "0,1", "GNU.sparse.size": str(10**12)}
    path = packed(tmp_path / "x.tar", {"d/a": b"1"}, sparse)
    with pytest.raises(ExchangeError, match="has holes"):
        read(path)


def test_a_name_in_an_extended_header_is_checked_too(tmp_path: Path) -> None:
    other = member("d/x")
    other.pax_headers = {"path": "d/../../etc/passwd"}
    with pytest.raises(ExchangeError, match="leaves its folder"):
        read(packed(tmp_path / "x.tar", {"d/a": b"1"}, other))


def test_more_than_is_allowed_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "SMALL", 10_000)
    bomb = packed(tmp_path / "x.tar.gz", {f"d/{number}": bytes(10**6) for number in range(30)}, mode="w:gz")
    with pytest.raises(ExchangeError, match=r"holds more than .*--max-size"):
        read(bomb)
    with pytest.raises(ExchangeError, match=r"holds more than 1\.0 MB"):
        read(bomb, 10**6)
    assert len(read(bomb, 10**8)) == 30


def test_many_empty_files_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "SMALL", 10_000)
    bomb = packed(tmp_path / "x.tar.gz", {f"d/{number}": b"" for number in range(2000)}, mode="w:gz")
    with pytest.raises(ExchangeError, match="holds more than"):
        read(bomb)


def test_a_header_that_announces_much_does_not_fill_the_memory(tmp_path: Path) -> None:
    header = member("d/x", tarfile.XHDTYPE, size=10**11)
    path = tmp_path / "x.tar"
    path.write_bytes(header.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    with pytest.raises(ExchangeError, match="announces 100000000000 bytes"):
        read(path)


def test_a_size_below_zero_is_refused(tmp_path: Path) -> None:
    header = bytearray(member("d/x").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 11 + b"\x00"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    (tmp_path / "x.tar").write_bytes(bytes(header) + bytes(4096))
    with pytest.raises(ExchangeError):
        read(tmp_path / "x.tar")


@pytest.mark.parametrize("packs", [False, True])
def test_a_file_that_is_cut_off_is_refused_wherever(tmp_path: Path, packs: bool) -> None:
    path = packed(tmp_path / "x.tar", {"d/a": b"1" * BLOCK, "d/b": b"2" * 700})
    whole = path.read_bytes()
    for length in range(0, 4 * BLOCK + 1, 128):
        cut = whole[:length]
        path.write_bytes(gzip.compress(cut) if packs else cut)
        with pytest.raises(ExchangeError):
            read(path)
    packed_whole = gzip.compress(whole)
    path.write_bytes(packed_whole[: len(packed_whole) // 2])
    with pytest.raises(ExchangeError):
        read(path)


@given(st.binary(max_size=2000))
def test_bytes_that_are_no_tar_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.tar"
    path.write_bytes(data)
    with pytest.raises(ExchangeError):
        read(path)


@given(st.data())
def test_a_damaged_tar_is_refused_or_read(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.tar"
    whole = bytearray(packed(path, {"d/a": b"1" * BLOCK, "d/b": b"2" * 700}).read_bytes()[: 6 * BLOCK])
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole)
    try:
        found = read(path)
    except ExchangeError:
        return
    assert not [name for name in found if name.startswith("/") or ".." in name.split("/")]


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExchangeError, match="cannot be read"):
        Archive(tmp_path / "gone.tar")
    with pytest.raises(ExchangeError, match=r"is a directory|no regular file"):
        Archive(tmp_path)
    with pytest.raises(ExchangeError, match="no regular file"):
        Archive(Path(os.devnull))
