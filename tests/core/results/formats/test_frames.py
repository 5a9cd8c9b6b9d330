"""Frames of pandas and polars, and the error where these are not installed."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from helpers.result_jobs import FakeJob, table

from xpm_core.errors import MissingPackageError
from xpm_core.results.formats.frames import imported
from xpm_core.results.formats.sheet import Sheet
from xpm_core.results.formats.written import Written
from xpm_core.results.table import Table

JOBS = [FakeJob({"lr": lr, "seed": seed}, {"f1": lr + seed / 10}) for lr in (1, 2) for seed in range(3)]


class Values(Written):
    """A table of one column."""

    def __init__(self, *values: Any) -> None:
        self._values = values

    def sheet(self, bold: object = (), within: object = ()) -> Sheet:
        return Sheet(["x"], [[value] for value in self._values])


def rows() -> Table:
    return table(JOBS)


def test_a_frame_of_pandas_has_the_columns_and_their_types() -> None:
    pytest.importorskip("pandas")
    found = rows().to_pandas()
    assert list(found.columns) == ["lr", "seed", "f1"]
    assert (found["seed"].dtype, found["f1"].dtype, found["f1"].max()) == ("int64", "float64", 2.2)
    assert rows().over("seed").to_pandas()["f1.n"].tolist() == [3, 3]
    assert Values(2**60 + 1, None).to_pandas()["x"].tolist() == [2**60 + 1, None]
    assert Values(1, None).to_pandas()["x"].dtype == "float64"
    assert Values("a", 1, None).to_pandas()["x"].tolist()[:2] == ["a", 1]


def test_a_frame_of_polars_has_the_columns_and_their_types() -> None:
    polars = pytest.importorskip("polars")
    found = rows().to_polars()
    assert found.columns == ["lr", "seed", "f1"]
    assert found.schema["f1"] == polars.Float64
    assert rows().over("seed").to_polars()["f1.n"].to_list() == [3, 3]
    assert Values(1, 0.5, None).to_polars()["x"].to_list() == [1.0, 0.5, None]
    assert Values(1, "a", None).to_polars()["x"].to_list() == ["1", "a", None]
    assert Values(2**70, 1).to_polars()["x"].to_list() == [str(2**70), "1"]
    assert Values(None, None).to_polars()["x"].to_list() == [None, None]


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_a_package_that_is_not_installed_is_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError) as caught:
        getattr(rows(), f"to_{package}")()
    assert str(caught.value) == f"to_{package}(): {package} is not installed. Type: pip install {package}."
    assert isinstance(caught.value, ImportError)


def test_a_package_that_lacks_another_one_is_no_missing_package() -> None:
    with pytest.raises(MissingPackageError, match=r"nowhere is not installed"):
        imported("nowhere.inside", "plot()")
