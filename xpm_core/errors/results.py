"""Results and statistics that are asked for wrongly."""

from __future__ import annotations

from xpm_core.errors.base import ShapedError


class ResultsError(ShapedError, ValueError):
    """Raised when a statistic is asked for with an argument that makes no sense.

    Numbers never raise it: where they allow no interval, the result has none, and says why.

    Message:
        level: expected a number between 0 and 1, got 95. Write level=0.95.

    Remedy:
        Do what the message says. docs/reference/statistics.md lists what each argument can be.
    """


class MissingPackageError(ShapedError, ImportError):
    """Raised when a table is to be shown in a way that needs a package which is not installed, such as matplotlib.

    Message:
        to_pandas(): pandas is not installed. Type: pip install pandas.

    Remedy:
        Install the package in the environment of the script or of the notebook, or write the table in another form.
    """

    def __init__(self, what: str, package: str) -> None:
        super().__init__(what, f"{package} is not installed", f"Type: pip install {package}.")
        self.args = (what, package)
