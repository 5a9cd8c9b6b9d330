"""The files of a copy: which one stands for which URL of the page, and how one leads to another.

Owns: their names. None comes from a job or a user as it is: identities are checked, other names are made plain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qs, quote, urlsplit

from xpm_core.errors import FilterError
from xpm_core.filters import from_options

ROWS = 1000
"""Jobs in one file of a table."""
ALL = "all"
"""The name of the table of all jobs."""
VIEWS = ("timeline", "graph", "workers")
"""Views of the whole workspace that are asked for, and have a file if the page has them."""
CURVES = "curves"
"""The view that is drawn anew, because the page draws it by a script."""
_IDENTITY = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ASSET = re.compile(r"(?:[a-z0-9_-]+/)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.(?:css|svg)", re.ASCII)
_LONGEST = 60


def is_identity(text: str) -> bool:
    """Whether a text is an identity, so that a file may have this name."""
    return _IDENTITY.fullmatch(text) is not None


def filter_of(experiment: str) -> str:
    """The filter of the jobs of an experiment, as the page writes it; empty if its name cannot stand in one."""
    try:
        return str(from_options(experiment=[experiment]))
    except FilterError:
        return ""


class Files:
    """The files of a copy.

    Args:
        experiments: The names of the experiments.
        jobs: The identities of the jobs that have a file.
        views: The views that have one, of `VIEWS`.
    """

    def __init__(self, experiments: Iterable[str], jobs: Iterable[str], views: Iterable[str] = ()) -> None:
        self.views = frozenset(views)
        self._jobs = frozenset(filter(is_identity, jobs))
        self._names = _plain_names(experiments)
        self._tables = {text: plain for name, plain in self._names.items() if (text := filter_of(name))}

    def table(self, experiment: str = "", page: int = 1) -> str:
        """The file of a part of the jobs, of an experiment or of all."""
        return f"jobs/{self._names[experiment] if experiment else ALL}-{page}.html"

    def job(self, identity: str) -> str:
        """The file of a job; empty if it has none."""
        return f"job/{identity}.html" if identity in self._jobs else ""

    def results(self, experiment: str = "", form: str = "html") -> str:
        """The file of a table of results; of the list of these tables without an experiment."""
        return f"results/{self._names[experiment]}.{form}" if experiment else "results.html"

    def of_url(self, url: str) -> str:
        """The file that stands for a URL of the page; empty if there is none."""
        try:
            parts = urlsplit(url)
            query = parse_qs(parts.query)
        except ValueError:
            return ""
        if parts.scheme or parts.netloc or not parts.path.startswith("/"):
            return ""
        path = parts.path[1:]
        if path == "jobs" and query.keys() <= {"filter"}:
            text = query.get("filter", [""])[0]
            plain = self._tables.get(text, "") if text else ALL
            return f"jobs/{plain}-1.html" if plain else ""
        if path.startswith("assets/"):
            return path if _ASSET.fullmatch(path.removeprefix("assets/")) else ""
        if query:
            return ""
        if path.startswith("job/"):
            return self.job(path.removeprefix("job/"))
        if path in self.views:
            return f"views/{path}.html"
        return {"": "index.html", "results": "results.html"}.get(path, "")


def relative(target: str, place: str) -> str:
    """A link from one file to another: `../job/3f2a.html`.

    Args:
        target: The file that it leads to.
        place: The file in which it stands.
    """
    return quote(f"{'../' * place.count('/')}{target}")


def _plain_names(names: Iterable[str]) -> dict[str, str]:
    """For each name one that any file system and any URL takes, each another one, also where case does not count."""
    found: dict[str, str] = {}
    taken = {ALL}
    for name in sorted(set(names)):
        plain = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:_LONGEST] or "experiment"
        number, tried = 1, plain
        while tried.lower() in taken:
            number += 1
            tried = f"{plain}-{number}x"
        taken.add(tried.lower())
        found[name] = tried
    return found
