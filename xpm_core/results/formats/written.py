"""The methods by which every kind of table is written: `to_csv()`, `to_latex()`, and the others.

Owns: these methods. Each form has a module of its own.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, overload

from xpm_core.results.formats import frames
from xpm_core.results.formats.csv_form import as_csv
from xpm_core.results.formats.html_form import as_html
from xpm_core.results.formats.latex import as_latex
from xpm_core.results.formats.markdown import as_markdown
from xpm_core.results.formats.sheet import Sheet
from xpm_core.results.formats.text_form import as_text
from xpm_core.tracebacks.edges import edge

Place = str | os.PathLike[str]
Names = str | Sequence[str]


class Written(ABC):
    """What can be written as a table."""

    @abstractmethod
    def sheet(self, bold: Names = (), within: Names = ()) -> Sheet:
        """The table as every form of output gets it, with some of its best values in bold."""

    @overload
    def to_csv(self, path: None = None) -> str: ...
    @overload
    def to_csv(self, path: Place) -> None: ...
    @edge
    def to_csv(self, path: Place | None = None) -> str | None:
        """Return the table as CSV, or write it to a file.

        Numbers have all their digits. Folded cells take several columns: `accuracy.mean`, `.sd`, `.n`, `.low`, `.high`,
        `.method`.

        Raises:
            OSError: The file cannot be written.

        Example:
            table.to_csv("results.csv")
        """
        return _written(as_csv(self.sheet()), path)

    @overload
    def to_markdown(self, path: None = None, *, bold: Names = (), within: Names = ()) -> str: ...
    @overload
    def to_markdown(self, path: Place, *, bold: Names = (), within: Names = ()) -> None: ...
    @edge
    def to_markdown(self, path: Place | None = None, *, bold: Names = (), within: Names = ()) -> str | None:
        """Return the table as Markdown, or write it to a file. What a cell is, and the notes, stand below it.

        Args:
            path: The file.
            bold: As in `to_latex`.
            within: As in `to_latex`.

        Raises:
            OSError: The file cannot be written.
        """
        return _written(as_markdown(self.sheet(bold, within)), path)

    @overload
    def to_latex(
        self, path: None = None, *, caption: str = "", label: str = "", environment: str = "table",
        bold: Names = (), within: Names = (),
    ) -> str: ...  # fmt: skip
    @overload
    def to_latex(
        self, path: Place, *, caption: str = "", label: str = "", environment: str = "table",
        bold: Names = (), within: Names = (),
    ) -> None: ...  # fmt: skip
    @edge
    def to_latex(
        self, path: Place | None = None, *, caption: str = "", label: str = "", environment: str = "table",
        bold: Names = (), within: Names = (),
    ) -> str | None:  # fmt: skip
        """Return the table in LaTeX, or write it to a file. It needs the package booktabs, and no other.

        Numbers are aligned on the decimal point, with as many digits as their intervals allow. A cell that lacks jobs
        has a footnote that names them. A comment below each row names the jobs and the code of its numbers.

        Args:
            path: The file.
            caption: A text for the caption. The sentence that says what a cell is follows it.
            label: The label for `\\ref`.
            environment: "table" or "table*"; empty for the tabular alone.
            bold: The names of results whose best values are bold, together with what is not distinguishable from the
                best; with a minus, as in `-loss`, the least is the best. In a pivot, the best of each column is bold.
            within: The names of columns: there is a best value for each combination of theirs.

        Raises:
            ResultsError: Values of single jobs are to be bold.
            UnknownColumnError: Nothing has such a name.
            OSError: The file cannot be written.

        Example:
            table.over("seed").to_latex("table.tex", caption="Four models.", label="tab:models", bold="accuracy")
        """
        return _written(as_latex(self.sheet(bold, within), caption, label, environment=environment), path)

    @edge
    def to_pandas(self) -> Any:
        """Return the table as a `pandas.DataFrame`.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        return frames.to_pandas(self.sheet())

    @edge
    def to_polars(self) -> Any:
        """Return the table as a `polars.DataFrame`.

        Raises:
            MissingPackageError: polars is not installed.
        """
        return frames.to_polars(self.sheet())

    def __str__(self) -> str:
        """The first rows as aligned text, what a cell is, and the first notes."""
        return as_text(self.sheet())

    def _repr_html_(self) -> str:
        """The table in a notebook."""
        return as_html(self.sheet())


def _written(text: str, path: Place | None) -> str | None:
    """The text; None if it was written to a file."""
    if path is None:
        return text
    with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(text)
    return None
