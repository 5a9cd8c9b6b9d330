"""Where a copy is written: what is not ours is left alone, and a new copy takes the place of the old one at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_cli.page.export import place
from xpm_core.errors import ExchangeError


@pytest.mark.parametrize("can", [True, False])
def test_where_two_directories_cannot_be_exchanged_they_are_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can: bool
) -> None:
    if not can:
        monkeypatch.setattr(place, "_exchanged", lambda *_: False)
    target = tmp_path / "copy"
    for text in ("old", "new"):
        with place.new_copy(target) as folder:
            (folder / place.MARK).write_text(text)
    assert (target / place.MARK).read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def _file(folder: Path) -> None:
    folder.write_text("mine")


def _work(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.tex").write_text("mine")


def _copy_with_work(folder: Path) -> None:
    folder.mkdir()
    (folder / place.MARK).write_text("{}")
    (folder / "thesis.tex").write_text("mine")


@pytest.mark.parametrize(
    ("make", "said"),
    [(_file, "it is a file"), (_work, "is no earlier copy"), (_copy_with_work, "'thesis.tex' was put there")],
)
def test_what_is_not_ours_is_left_alone(tmp_path: Path, make: object, said: str) -> None:
    target = tmp_path / "mine"
    make(target)  # type: ignore[operator]
    with pytest.raises(ExchangeError, match=said), place.new_copy(target):
        pytest.fail("nothing is to be written")
    assert (target if target.is_file() else target / "thesis.tex").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_disk_that_is_full_is_said(tmp_path: Path) -> None:
    with pytest.raises(ExchangeError, match="No space left"), place.new_copy(tmp_path / "copy"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []
