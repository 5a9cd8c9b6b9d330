"""`xpm plot`: a plot of what the jobs of an experiment have reported or logged, in a file."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xpm_cli.app import common_options, say
from xpm_cli.lookup.open_workspace import open_workspace
from xpm_cli.lookup.publishing.folding import folding_options, names_in, settings_of
from xpm_cli.lookup.selection import names_option, selected, selection_within
from xpm_core.errors import ResultsError
from xpm_core.words.text import line, listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@click.command()
@common_options
@click.argument("experiment", metavar="EXPERIMENT")
@click.argument("x", metavar="X")
@click.argument("y", metavar="Y")
@click.option(
    "-o",
    "--output",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="Write it there: loss.pdf, loss.png or loss.svg. A file that is there is replaced.",
)
@names_option("--by", "A colour for each value of these.")
@selection_within
@folding_options
def plot(experiment: str, x: str, y: str, file: Path, by: str | None, over: str | None, **given: Any) -> None:
    """Plot the result Y against X: a point for each job, or with --over seed means with their intervals.

    With step as X, it plots curves of the metric Y that jobs have logged: one for each job, or with --over seed means
    with bands. Where some runs have ended, a mean is dotted, has no band, and says how many runs are left.

    It needs matplotlib. What one should know of the plot is printed, such as runs that ended early.
    """
    settings = settings_of(over, given)
    with open_workspace(foreign=True) as opened:
        table = opened.view.results(experiment, selected(**given) or "")
        if not len(table):
            raise ResultsError(experiment, "no job matches, so there is nothing to draw", "Choose others: --where.")
        found = table.over(*names_in(over), **settings) if over else table
        figure = found.plot(x, y, by=None if by is None else names_in(by))
        _write(figure, file)
    for note in getattr(figure, "notes", ()):
        say(note)
    say(f"Wrote {file}.")


def _write(figure: Figure, file: Path) -> None:
    """Write the plot.

    Raises:
        ResultsError: The name of the file has no ending that matplotlib knows, or it cannot be written.
    """
    known = sorted(figure.canvas.get_supported_filetypes())
    if file.suffix.lower().removeprefix(".") not in known:
        raise ResultsError(
            f"--output {file}", "expected the name of an image", f"Let it end with .{', .'.join(known)}."
        )
    drawn = io.BytesIO()
    try:
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            figure.savefig(drawn, format=file.suffix.lower().removeprefix("."))
    except (RuntimeError, ValueError, ImportError) as error:  # a form may need another program: .pgf needs LaTeX
        problem = f"matplotlib cannot draw it: {line(error, 200)}"
        raise ResultsError(f"--output {file}", problem, "Name another form, such as .pdf or .png.") from None
    said = list(dict.fromkeys(line(each.message, 200) for each in found))  # such as a letter that no font has
    if said:
        say(f"matplotlib says: {listed(said, 2)}")
    try:
        file.write_bytes(drawn.getvalue())
    except OSError as error:
        problem = f"the plot cannot be written: {error.strerror or error}"
        raise ResultsError(f"--output {file}", problem, "Name a file in a folder where you may write.") from None
