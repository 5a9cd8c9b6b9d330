"""Dates and durations."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.filters.moments import read_date, read_duration, span_test, stored_moment

SIGNS = ("=", "<", "<=", ">", ">=")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("10m", 600), ("10min", 600), ("2h", 7200), ("3d", 259200), ("1w", 604800), ("1h30m", 5400),
     ("1 h 30 min", 5400), ("0.5h", 1800), ("250ms", 0.25), ("2", None), ("h", None), ("-2h", None), ("2 hours", None),
     ("", None), ("٣h", None)],
)  # fmt: skip
def test_a_duration_is_read_with_its_unit(text: str, seconds: float | None) -> None:
    assert read_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "start", "length_s"),
    [
        ("2026-11-27", "2026-11-27T00:00:00", 86400),
        ("2026-11-27T14:30", "2026-11-27T14:30:00", 60),
        ("2026-11-27 14:30:05", "2026-11-27T14:30:05", 1),
        ("2026-11-27T14:30:05Z", "2026-11-27T14:30:05+00:00", 1),
        ("2026-11-27T14:30+0130", "2026-11-27T14:30:00+01:30", 60),
        ("2026-11-27T14:30:05.000000", "2026-11-27T14:30:05", 1),
    ],
)
def test_a_date_is_as_long_as_it_is_precise(text: str, start: str, length_s: int) -> None:
    found = read_date(text)
    assert found is not None
    assert found[0] == datetime.fromisoformat(start).timestamp()
    assert found[1] - found[0] == length_s


@pytest.mark.parametrize(
    "text",
    ["", "2026-13-01", "2026-02-30", "2026-11-27T25:00", "27.11.2026", "today", "2026-11-27T14:30.5", "9999-12-31"],
)
def test_what_is_no_date_of_this_machine_is_none(text: str) -> None:
    assert read_date(text) is None


@given(st.text())
def test_any_text_is_a_date_a_duration_or_none(text: str) -> None:
    assert read_date(text) is None or read_duration(text) is None


@given(st.datetimes(datetime(1980, 1, 1), datetime(2200, 1, 1)))
def test_a_stored_moment_equals_itself(moment: datetime) -> None:
    found, span = stored_moment(moment.isoformat()), read_date(moment.isoformat())
    assert found is not None
    assert abs(found - moment.timestamp()) < 1e-5
    assert span is not None
    assert span_test("=", span)(found)


@given(st.sampled_from([(10.0, 20.0), (10.0, 11.0)]), st.floats(0, 30))
def test_a_moment_is_before_within_or_after_a_date(span: tuple[float, float], moment: float) -> None:
    answers = {sign: span_test(sign, span)(moment) for sign in SIGNS}
    assert answers["<"] + answers["="] + answers[">"] == 1
    assert answers["<="] == (answers["<"] or answers["="])
    assert answers[">="] == (answers[">"] or answers["="])
