"""Where the last traceback of a log begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_cli.page.log import tracebacks
from xpm_cli.page.log.tracebacks import last_traceback

HEAD = b"Traceback (most recent call last):\n  File ...\nValueError: x\n"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", None),
        (b"nothing\n", None),
        (b"a\n" + HEAD + b"b\n", 2),
        (HEAD + b"During handling of the above exception\n\n" + HEAD, len(HEAD) + 40),
        (b"  + Exception Group " + HEAD, 20),
        (b"a\nFatal Python error: Segmentation fault\n", 2),
    ],
)
@pytest.mark.parametrize("block", [7, 40, 1 << 20])
def test_the_last_one_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, found: int | None, block: int
) -> None:
    monkeypatch.setattr(tracebacks, "_BLOCK", block)
    (tmp_path / "log").write_bytes(data)
    with (tmp_path / "log").open("rb", buffering=0) as file:
        assert last_traceback(file, 0, len(data)) == found


def test_only_the_part_of_an_attempt_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(HEAD + b"second attempt\n" + HEAD)
    with (tmp_path / "log").open("rb", buffering=0) as file:
        assert last_traceback(file, 0, len(HEAD) + 15) == 0
        assert last_traceback(file, len(HEAD), len(HEAD) + 15) is None
        assert last_traceback(file, 0, 10) is None


def test_it_does_not_look_further_than_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracebacks, "FAR", 100)
    (tmp_path / "log").write_bytes(HEAD + b"x" * 100)
    with (tmp_path / "log").open("rb", buffering=0) as file:
        assert last_traceback(file, 0, len(HEAD) + 100) is None
