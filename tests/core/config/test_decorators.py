"""Methods of live objects that run once, or keep what they return."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_core.config import Config, Param, cache, initializer
from xpm_core.errors import DeclarationError


class Terms(Config):
    size: Param[int]

    @initializer
    def initialize(self, step: int = 1) -> int:
        self.calls = getattr(self, "calls", 0) + step
        return self.calls

    @cache("terms.txt")
    def load(self, path: Path, word: str = "x") -> str:
        if not path.is_file():
            path.write_text(word * self.size)
        return path.read_text()


def test_initializer_runs_once() -> None:
    live = Terms.C(size=3).instance()
    assert (live.initialize(), live.initialize(step=5), live.calls) == (1, 1, 1)  # type: ignore[attr-defined]
    with pytest.raises(DeclarationError, match=r"Terms.initialize: called on a configuration"):
        Terms.C(size=3).initialize()


def test_cache_outside_of_a_job_keeps_nothing() -> None:
    live = Terms.C(size=3).instance()
    assert (live.load(), live.load(word="y")) == ("xxx", "yyy")
    with pytest.raises(DeclarationError, match="called on a configuration"):
        Terms.C(size=3).load()
