"""Write a copy of the page: the list of experiments, tables of jobs, a file for each job, results, other views.

Owns: what is copied, and in which order. The mark comes last.
"""

from __future__ import annotations

import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.json_form import SCHEMA, dumps, moment
from xpm_cli.page.application import build
from xpm_cli.page.desk.desk import Desk
from xpm_cli.page.export.asking import asked, request_for
from xpm_cli.page.export.curve_view import pictures_of
from xpm_cli.page.export.files import CURVES, ROWS, VIEWS, Files, filter_of, is_identity, relative
from xpm_cli.page.export.job_pages import LOG_BYTES, job_page
from xpm_cli.page.export.place import MARK, new_copy
from xpm_cli.page.export.result_tables import ResultTable, result_table
from xpm_cli.page.export.rewriting import rewritten
from xpm_cli.page.links import ASSETS
from xpm_cli.page.rendering import page
from xpm_cli.page.safety.guard import Guard
from xpm_cli.page.views.jobs import columns_of, rows_of
from xpm_cli.page.views.timeline import LANES
from xpm_core import __version__
from xpm_core.errors import FilterError, UnknownExperimentError
from xpm_core.filters import Column, Filter
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import State
from xpm_core.words.text import amount, plural

BATCH = 100
"""How many jobs are read at once."""
LEFT_OUT = (
    "filters, sorting, and what changes after the copy was made",
    f"logs but for their last {amount(LOG_BYTES)}, and all other files of the jobs",
    f"of the timeline, all but its last day and {LANES} workers",
    "acting on jobs",
)
"""What no copy has."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
Told = Callable[[str], None]


@dataclass
class Exported:
    """A copy that was written.

    Attributes:
        directory: Where it is.
        jobs: How many jobs it has.
        files: How many files.
        size: Their bytes.
        left_out: What it lacks, each a phrase.
    """

    directory: Path
    jobs: int = 0
    files: int = 0
    size: int = 0
    left_out: list[str] = field(default_factory=lambda: list(LEFT_OUT))

    def __str__(self) -> str:
        return f"{self.directory}: {plural(self.jobs, 'job')}, {plural(self.files, 'file')}, {amount(self.size)}."


def write(opened: OpenWorkspace, directory: Path, told: Told = lambda text: None) -> Exported:
    """Write a copy.

    Args:
        opened: The workspace.
        directory: Where to: it is new or empty, or an earlier copy, which is replaced when all is written.
        told: Called with what is done now, a sentence, now and then.

    Raises:
        ExchangeError: Something else lies there, or it cannot be written.
    """
    desk = Desk(opened, lambda: opened.view)
    application = build(desk, Guard())
    try:
        with new_copy(directory) as folder:
            copy = _Copy(application, desk, folder, Exported(directory), told)
            copy.write()
            return copy.exported
    finally:
        application.state.feed.close()
        desk.close()


class _Copy:
    """A copy while it is written."""

    def __init__(self, application: Starlette, desk: Desk, folder: Path, exported: Exported, told: Told) -> None:
        self.application, self.desk, self.folder, self.exported, self._told = application, desk, folder, exported, told
        with desk.reading() as view:
            ranked = view.ranked(Filter()).window(0, view.total)
            self.identities = [each for each in ranked if is_identity(each)]
            self.experiments = [each.name for each in view.experiments()]
            self.now_s = view.now_s if view.away is None else time.time()
        if strange := len(ranked) - len(self.identities):
            exported.left_out.append(f"{plural(strange, 'job')} whose identities are none")
        while (met := application.state.history.read().reading) is not None:  # it waits itself, a while each time
            told(f"What has run is being read: {plural(met, 'event')} so far.")
        self.pages = {view: text for view in VIEWS if (text := asked(application, f"/{view}")) is not None}
        self.files = Files(self.experiments, self.identities, [*self.pages, CURVES])
        exported.jobs = len(self.identities)

    @property
    def notice(self) -> str:
        """What each file says above its content."""
        made = moment(self.now_s) or ""
        return f"A copy, made {made[:16].replace('T', ' ')} {made[-6:]} by xpm {__version__}. It does not change."

    def write(self) -> None:
        """Write all files, and the mark last."""
        self._assets()
        self._tables()
        self._jobs()
        self._results()
        self._views()
        mark = {
            "schema": SCHEMA,
            "made": moment(self.now_s),
            "xpm": __version__,
            "workspace": self.desk.view.workspace.path.name,
            "jobs": self.exported.jobs,
            "left_out": self.exported.left_out,
        }
        self._put(MARK, f"{dumps(mark)}\n")

    # -- files -----------------------------------------------------------------------------------------------------

    def _put(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = _CONTROLS.sub("\ufffd", text).encode("utf-8", "replace")
        path.write_bytes(data)
        self.exported.files += 1
        self.exported.size += len(data)

    def _page(self, name: str, template: str, **facts: Any) -> None:
        """Write a file from a template of the copy."""
        request = request_for(self.application, "/")
        found = page(
            request, template, **facts, files=self.files, to=lambda target: relative(target, name), notice=self.notice,
            left_out=self.exported.left_out,
        )  # fmt: skip
        self._put(name, bytes(found.body).decode())

    def _assets(self) -> None:
        for path in sorted(ASSETS.rglob("*")):
            if path.suffix in (".css", ".svg") and path.is_file():
                target = self.folder / "assets" / path.relative_to(ASSETS)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)

    # -- jobs ------------------------------------------------------------------------------------------------------

    def _tables(self) -> None:
        members: dict[str, list[str]] = {name: [] for name in self.experiments}
        with self.desk.reading() as view:
            for row in view.known(self.identities):
                for name in row.experiments:
                    if name in members:
                        members[name].append(row.identity)
        self._table("", self.identities)
        for name, identities in members.items():
            self._table(name, identities)

    def _table(self, name: str, identities: Sequence[str]) -> None:
        """The table of some jobs, `ROWS` in a file."""
        columns = self._columns(filter_of(name) if name and identities else "")
        pages = range(1, max(-(-len(identities) // ROWS), 1) + 1)
        with self.desk.reading() as view:
            states = Counter(row.state for row in view.known(identities))
        for number in pages:
            jobs = self.desk.rows(identities[(number - 1) * ROWS : number * ROWS])
            rows = rows_of(self.desk, jobs, columns)
            self._page(
                self.files.table(name, number), "export_jobs.jinja", experiment=name, rows=rows, columns=columns,
                number=number, pages=pages, first=(number - 1) * ROWS, matched=len(identities),
                counts={each: states[each] for each in State if states[each]},
            )  # fmt: skip

    def _columns(self, text: str) -> list[Column]:
        """The columns in which the jobs that match a filter differ."""
        try:
            return columns_of(self.desk, self.desk.listed(text, count=0), "")
        except FilterError:  # an experiment whose jobs nobody knows any more
            return columns_of(self.desk, self.desk.listed("", count=0), "")

    def _jobs(self) -> None:
        for start in range(0, len(self.identities), BATCH):
            batch = self.identities[start : start + BATCH]
            if start and start % (10 * BATCH) == 0:
                self._told(f"{start:,} of {plural(len(self.identities), 'job')} copied.")
            with self.desk.reading() as view:
                rows = view.rows(batch)
                needs = view.needs(rows)
                for row in rows:
                    self._job(row, needs.get(row.identity) or ())

    def _job(self, row: JobRow, needs: Sequence[str]) -> None:
        found = job_page(self.desk.opened, row, needs)
        self._page(self.files.job(row.identity), "export_job.jinja", job=found, now_s=self.now_s)

    # -- results and other views -----------------------------------------------------------------------------------

    def _results(self) -> None:
        tables = [table for name in self.experiments if (table := self._result_table(name)) is not None]
        for table in tables:
            for form, text in table.texts.items():
                self._put(self.files.results(table.experiment, form), text)
            self._page(self.files.results(table.experiment), "export_results.jinja", table=table)
        self._page(self.files.results(), "export_result_list.jinja", tables=tables)

    def _result_table(self, name: str) -> ResultTable | None:
        with self.desk.reading() as view:
            try:
                return result_table(name, view.results(name), view.now_s)
            except UnknownExperimentError:  # no job of it is known any more
                return None

    def _views(self) -> None:
        for view, text in self.pages.items():
            name = f"views/{view}.html"
            self._put(name, rewritten(text, name, self.files, self.notice))
        pictures, notes = pictures_of(self.desk)
        self._page(f"views/{CURVES}.html", "export_curves.jinja", pictures=pictures, notes=notes)
        first = asked(self.application, "/") or ""
        self._put("index.html", rewritten(first, "index.html", self.files, self._first_notice))

    @property
    def _first_notice(self) -> str:
        return f"{self.notice} It leaves out {'; '.join(self.exported.left_out)}."
