"""The arguments of a script, as a payload holds them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.errors import PayloadError
from xpm_core.job.script_arguments import FOLDER, LONGEST, pack, unpack, without_passwords

LONG = ("sweep.py", *(f"data/{number}.csv" for number in range(LONGEST)))


@given(st.lists(st.text(st.characters(), max_size=20)))
def test_arguments_come_back_as_they_were_whatever_they_are(arguments: list[str]) -> None:
    words = [each for each in arguments if "://" not in each] + ["odd\udce9", ""]
    assert unpack(pack(tuple(words), None), Path()) == words


@pytest.mark.parametrize(
    ("argument", "shown"),
    [
        ("redis://alice:secret@head:6379/0", "redis://alice:***@head:6379/0"),
        ("redis://:secret@head", "redis://:***@head"),
        ("--db=postgresql+psycopg://me:s@cret@db/x", "--db=postgresql+psycopg://me:***@db/x"),
        ("https://token@git.host/x.git", "https://***@git.host/x.git"),
        ("a=http://u:p@one,b=http://u:q@two", "a=http://u:***@one,b=http://u:***@two"),
        ("unix:///run/redis.sock?password=secret&db=1", "unix:///run/redis.sock?password=***&db=1"),
        ("s3://bucket/user@example.org/x", "s3://bucket/user@example.org/x"),
        ("me@example.org", "me@example.org"),
        ("http://host/?q=a@b", "http://host/?q=a@b"),
        ("C:\\\\data", "C:\\\\data"),
    ],
)
def test_passwords_in_urls_are_left_out_and_nothing_else(argument: str, shown: str) -> None:
    assert without_passwords(argument) == shown


def test_long_arguments_are_written_once_and_named_by_each_payload(tmp_path: Path) -> None:
    packed = pack(LONG, tmp_path)
    assert len(packed) == 32
    assert unpack(packed, tmp_path) == list(LONG)
    [file] = (tmp_path / FOLDER).iterdir()
    file.unlink()
    assert pack(LONG, tmp_path) == packed
    assert file.exists(), "as in a workspace that was removed meanwhile"


def test_long_arguments_that_are_gone_or_changed_are_one_clear_error(tmp_path: Path) -> None:
    packed = pack(LONG, tmp_path)
    [file] = (tmp_path / FOLDER).iterdir()
    file.write_bytes(b"\x90")
    with pytest.raises(PayloadError, match=r"the arguments of its script were changed\. Submit the task again"):
        unpack(packed, tmp_path)
    file.unlink()
    with pytest.raises(PayloadError, match=f"{file}: the arguments of its script cannot be read: no such file"):
        unpack(packed, tmp_path)
