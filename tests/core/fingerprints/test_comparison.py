"""Whether an edit is told: each way in which code can change, or only seem to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest
from helpers.code_traps import CHANGED, SAME, Case

from xpm_core.fingerprints.comparison import Verdict, compare
from xpm_core.fingerprints.reached import reach

if TYPE_CHECKING:
    from core.fingerprints.conftest import MakeProject

START = [("p", "train.py", "Train")]


def verdict_on(project: MakeProject, files: Mapping[str, str], path: str, old: str, new: str) -> Verdict:
    before = project(files)
    assert old in files[path]
    after = project({**files, path: files[path].replace(old, new, 1)})
    return compare(before, after, reach(before, START))


@pytest.mark.parametrize("case", CHANGED.values(), ids=CHANGED)
def test_an_edit_that_the_job_can_see_is_told(project: MakeProject, case: Case) -> None:
    verdict = verdict_on(project, *case)
    assert verdict.answer == "ran", verdict


@pytest.mark.parametrize("case", SAME.values(), ids=SAME)
def test_an_edit_that_the_job_cannot_see_is_none(project: MakeProject, case: Case) -> None:
    assert verdict_on(project, *case) == Verdict("same")


@pytest.mark.parametrize("case", CHANGED.values(), ids=CHANGED)
def test_an_edit_that_is_undone_is_none(project: MakeProject, case: Case) -> None:
    files = case[0]
    first, other = project(files), project({**files, "unrelated.py": "x = 1"})
    assert compare(first, other, reach(first, START)) == Verdict("same")
