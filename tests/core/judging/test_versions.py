"""Other versions of packages that the files of a job import."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xpm_core.judging.then import Packages, Then
from xpm_core.judging.versions import Versions
from xpm_core.snapshot.code_store import CodeStore

THEN = Then("1" * 64, "", (), frozenset(), ())
MODULES = frozenset({"numpy", "sklearn", "single", "torch"})


class Lists:
    """Lists of packages in a workspace."""

    def __init__(self, folder: Path) -> None:
        self.store = CodeStore(folder)

    def of(self, python: str = "3.12.4", **versions: str) -> Packages:
        """A list. An underscore stands for a dash."""
        packages = {name.replace("_", "-"): version for name, version in versions.items()}
        return Packages(self.store.put("packages", json.dumps({"packages": packages}).encode()), python)

    def told(self, ran: Packages, today: Packages, given: Packages = THEN.given) -> tuple[str, ...]:
        """What is told of a job."""
        then = THEN._replace(packages=ran, given=given)
        return Versions(self.store, today).of(then, lambda: MODULES)


@pytest.fixture
def lists(tmp_path: Path) -> Lists:
    return Lists(tmp_path)


def test_a_package_that_is_imported_is_told_and_no_other_one(lists: Lists) -> None:
    before = lists.of(numpy="1.26.4", torch="2.1.0", idle="1", old="1")
    today = lists.of(numpy="2.0.1", torch="2.1.0", idle="2", new="1")
    assert lists.told(before, today) == ("numpy 1.26.4, now 2.0.1",)
    assert lists.told(before, before) == ()


def test_a_package_that_is_gone_or_new_has_no_other_version(lists: Lists) -> None:
    assert lists.told(lists.of(numpy="1.26.4"), lists.of(torch="2.1.0")) == ()


def test_a_package_is_known_by_its_modules(lists: Lists, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By `top_level.txt`, else by its list of files."""
    for name, file, text in (
        ("scikit_learn", "top_level.txt", "sklearn\n"),
        ("one-file", "RECORD", "single.py,,\none_file-2.dist-info/RECORD,,\n"),
        ("silent", "INSTALLER", "pip\n"),
    ):
        folder = tmp_path / "site" / f"{name.replace('-', '_')}-2.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2\n")
        (folder / file).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    before = lists.of(scikit_learn="1", one_file="1", silent="1", nowhere="1")
    today = lists.of(scikit_learn="2", one_file="2", silent="2", nowhere="2")
    assert lists.told(before, today) == ("one-file 1, now 2", "scikit-learn 1, now 2")


def test_python_is_told_by_major_and_minor(lists: Lists) -> None:
    same = lists.of().document
    assert lists.told(Packages(same, "3.11.7"), Packages(same, "3.12.4")) == ("Python 3.11, now 3.12",)
    assert lists.told(Packages(same, "3.12.1"), Packages(same, "3.12.4")) == ()
    assert lists.told(Packages(same, ""), Packages(same, "3.12.4")) == ()


def test_workers_may_have_other_packages_than_the_script(lists: Lists) -> None:
    """Nothing has changed since, so nothing is told."""
    worker, script = lists.of("3.11.7", numpy="1.26.4"), lists.of("3.12.4", numpy="2.0.1")
    assert lists.told(worker, script, given=script) == ()
    assert lists.told(worker, lists.of("3.13.0", numpy="2.1.0"), given=script) == (
        "Python 3.11, now 3.13",
        "numpy 1.26.4, now 2.1.0",
    )


def test_a_list_that_is_gone_or_malformed_says_nothing(lists: Lists) -> None:
    today = lists.of(numpy="2.0.1")
    for data in (b"", b"[]", b'{"packages": []}', b"\xff"):
        assert lists.told(Packages(lists.store.put("packages", data)), today) == ()
    assert lists.told(Packages("0" * 64), today) == ()
    assert lists.told(today, Packages("0" * 64)) == ()
