"""Results and statistics that are asked for wrongly, or cannot be kept or found."""

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


class ResultValueError(ShapedError, ValueError):
    """Raised when a result of a job is no JSON value. It fails no job: the job's log and its record say it instead.

    Message:
        accuracy.model: expected a JSON value, got Module. Report numbers and texts, and keep the rest in files.

    Remedy:
        Report numbers, texts, truth values, and lists and dicts of them. Keep everything else in a file of the job.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem, "Report numbers and texts, and keep the rest in files.")
        self.args = (path, problem)


class UnknownColumnError(ShapedError, KeyError):
    """Raised when a table of results has no column of a name, or several.

    Message:
        results: no column 'acuracy'. Did you mean accuracy? There are: model, lr, accuracy.

    Remedy:
        Write the name of a tag, of a parameter (its last names are enough), of a result, or of a fact such as
        `directory`.
    """


class UnknownResultError(ShapedError, KeyError):
    """Raised when a result is read that a job has not reported.

    Message:
        train/3f9ac2e.results: has no result 'acuracy'. Did you mean 'accuracy'? There are: accuracy, loss.

    Remedy:
        Correct the name, or report the result in the task's `execute`: return it, or call `result(name, value)`.
    """
