"""Tables as the frames of pandas and polars, where these are installed.

Neither is a dependency of xpm. Both are imported when they are asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from xpm_core.errors import MissingPackageError
from xpm_core.results.formats.sheet import Sheet, flat


def imported(package: str, what: str) -> Any:
    """A package that xpm does not need for anything else.

    Args:
        package: Its name.
        what: What needs it, for the message.

    Raises:
        MissingPackageError: It is not installed.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != package.partition(".")[0]:
            raise  # it is installed, but lacks something itself
        raise MissingPackageError(what, package.partition(".")[0]) from None


def to_pandas(sheet: Sheet) -> Any:
    """The table as a `pandas.DataFrame`. Folded cells take several columns, as in CSV."""
    pandas = imported("pandas", "to_pandas()")
    columns = flat(sheet)
    large = {name for name, values in columns.items() if None in values and _has_large_integers(values)}
    return pandas.DataFrame(
        {name: pandas.Series(values, dtype=object) if name in large else values for name, values in columns.items()}
    )


def _has_large_integers(values: Sequence[Any]) -> bool:
    """Whether pandas would round integers: beside a missing value, it makes floats of them."""
    return any(type(value) is int and abs(value) > 2**53 for value in values)


def to_polars(sheet: Sheet) -> Any:
    """The table as a `polars.DataFrame`. A column with numbers and texts becomes one of texts."""
    polars = imported("polars", "to_polars()")
    return polars.DataFrame({name: _of_one_type(values) for name, values in flat(sheet).items()}, strict=False)


def _of_one_type(values: Sequence[Any]) -> Sequence[Any]:
    """The values of a column so that all have one type: texts if they have several."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int} and any(not -(2**63) <= value < 2**63 for value in values if value is not None):
        kinds = {int, str}
    if kinds == {int, float}:
        return [None if value is None else float(value) for value in values]
    return values if len(kinds) < 2 else [None if value is None else str(value) for value in values]
