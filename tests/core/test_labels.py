"""How people are shown a job."""

from __future__ import annotations

import pytest

from xpm_core.labels import bare_class, label, short, title

IDENTITY = "3f2a91c" + "0" * 57


def test_an_identity_is_shown_by_its_first_characters() -> None:
    assert short(IDENTITY) == "3f2a91c"
    assert label("Train", IDENTITY) == "Train/3f2a91c"
    assert short("") == ""


def test_a_title_names_class_and_tags() -> None:
    assert title("Train", {"lr": 0.1, "model": "mlp"}) == "Train lr=0.1 model=mlp"
    assert title("Train", {}) == "Train"


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("sweep:Train", "Train"),
        ("package.sweep:Study.Train", "Train"),
        ("numpy._core._exceptions._ArrayMemoryError", "_ArrayMemoryError"),
        ("ValueError", "ValueError"),
        ("", ""),
    ],
)
def test_a_class_is_shown_without_its_module(name: str, bare: str) -> None:
    assert bare_class(name) == bare
