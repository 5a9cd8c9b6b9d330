"""Finding hooks among the packages on Python's path."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.hook_packages import install

from xpm_core.hooks.plugins import registered


def test_hooks_of_a_package_are_found_by_its_entry_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(install(tmp_path / "site", "", "job_ended", "run_ended"))
    found = [(each.name, each.value) for each in registered()]
    assert found == [("job_ended", "labhooks:job_ended"), ("run_ended", "labhooks:run_ended")]


def test_of_a_package_that_is_installed_twice_the_one_counts_that_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(install(tmp_path / "second", "", "job_ended"))
    monkeypatch.syspath_prepend(install(tmp_path / "first", "", "run_ended"))
    assert [each.name for each in registered()] == ["run_ended"]


def test_other_packages_and_folders_that_are_gone_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path / "gone")
    facts = tmp_path / "site" / "other-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "entry_points.txt").write_text("[console_scripts]\nother = other:main\n")
    (tmp_path / "site" / "none-1.0.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert registered() == []
