"""A page over jobs that have logged metrics and reported results. `from helpers.page_studies import StudyPage`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from helpers.page import PageClient
from helpers.simulated_jobs import Lab
from helpers.waiting import wait_until

from xpm_core.job.reporting.metrics import NAME
from xpm_core.states import State

Curve = Sequence[float | None]


class StudyPage:
    """A page, and the jobs that it shows.

    Args:
        lab: Submits jobs and lets them end.
        page: Shows them.
    """

    def __init__(self, lab: Lab, page: PageClient) -> None:
        self.lab, self.page, self.desk, self.client = lab, page, page.desk, page.client
        self._ended: dict[str, State] = {}

    def job(self, name: str, metrics: Mapping[str, Curve] | None = None, **more: Any) -> str:
        """A job that has ended, with what it has logged; returns its identity."""
        given = more.pop("params", {})
        more.setdefault("tags", {})
        state = self._ended[self.lab.identity(name)] = more.pop("state", State.DONE)
        self.lab.end(name, state, params={"name": "all", **given}, **more)
        for metric, values in (metrics or {}).items():
            self.log(name, metric, values)
        return self.lab.identity(name)

    def directory(self, name: str) -> Path:
        """The directory of a job."""
        return self.lab.directory(name).path

    def log(self, name: str, metric: str, values: Curve, first: int = 0) -> None:
        """Let a job log values, from a step on."""
        self.directory(name).mkdir(parents=True, exist_ok=True)
        file = self.directory(name) / NAME
        lines = [] if file.exists() else [{"xpm_execution": "e1", "at": 1.0}]
        lines += [{"step": first + at, **logged(metric, value), "at": 2.0} for at, value in enumerate(values)]
        with open(file, "a") as out:
            out.write("".join(f"{json.dumps(line)}\n" for line in lines))

    def settle(self) -> None:
        """Wait until the page knows of all jobs that they have ended."""
        if self._ended:
            wait_until(lambda: {row.identity: row.state for row in self.desk.rows(self._ended)} == self._ended)
            self._ended = {}

    def data(self, **query: str) -> dict[str, Any]:
        """The data of a chart."""
        self.settle()
        answer = self.client.get("/curves/data", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str, status: int = 200, **query: Any) -> str:
        """The text of a view."""
        self.settle()
        answer = self.client.get(path, params=query or None)
        assert answer.status_code == status, answer.text
        return answer.text


def logged(metric: str, value: float | None) -> dict[str, Any]:
    """A value as `log` writes it: None stands for nan."""
    return {metric: value, "not_finite": {metric: "nan"}} if value is None else {metric: value}


class Tables(HTMLParser):
    """The texts of the cells of each table of a page, and the names of all its elements and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self._open = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._open = True

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._open:
            self.rows[-1][-1] = " ".join(f"{self.rows[-1][-1]} {data}".split())
