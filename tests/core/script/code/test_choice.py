"""Snapshots or live code: the argument counts, then XPM_SNAPSHOT, then snapshots."""

from __future__ import annotations

import pytest

from xpm_core.errors import ExperimentError
from xpm_core.script.code.choice import LIVE, SNAPSHOT, VARIABLE, Choice, chosen


@pytest.mark.parametrize(
    ("given", "variable", "found"),
    [(None, None, SNAPSHOT), (None, "", SNAPSHOT), (None, "1", SNAPSHOT), (None, "0", LIVE), (SNAPSHOT, "0", SNAPSHOT),
     (LIVE, "1", LIVE), (LIVE, "off", LIVE)],
)  # fmt: skip
def test_the_argument_counts_more_than_the_variable(
    given: Choice | None, variable: str | None, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if variable is not None:
        monkeypatch.setenv(VARIABLE, variable)
    assert chosen(given, "sweep.py:9") == found


@pytest.mark.parametrize("said", ["off", "false", "2", " 0", "live"])
def test_a_variable_that_says_neither_is_refused(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, said)
    with pytest.raises(ExperimentError) as caught:
        chosen(None, "sweep.py:9")
    assert str(caught.value) == (
        f"sweep.py:9: XPM_SNAPSHOT={said!r} in the environment: expected 0 or 1. "
        "Set XPM_SNAPSHOT=0 for live code, or take it out."
    )
