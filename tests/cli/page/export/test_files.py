"""The files of a copy: their names come from nobody, and a URL has at most one."""

from __future__ import annotations

import re

import pytest

from xpm_cli.page.export import files


def test_names_of_experiments_become_plain_ones() -> None:
    names = ["../../etc", "all", "ALL", "a/b", "a-b", "A-B", "Größe", "..", "x" * 300]
    found = files.Files(names, [])
    tables = [found.table(name) for name in names]
    assert len({table.lower() for table in [*tables, found.table()]}) == len(names) + 1
    assert all(re.fullmatch(r"jobs/[A-Za-z0-9_-]{1,70}-1\.html", table) for table in tables)


@pytest.mark.parametrize(
    "url",
    [
        "/assets/../secret", "/assets/%2e%2e/x.css", "//evil.example/x", "https://evil.example", "javascript:alert(1)",
        "/job/../../x", "/job/3f2a", "/jobs?filter=x", "/jobs?first=200", "/api/jobs", "/acting/cancel", "jobs", "http://[",
    ],
)  # fmt: skip
def test_a_url_that_has_no_file_has_none(url: str) -> None:
    assert files.Files(["sweep"], ["a" * 64]).of_url(url) == ""


def test_identities_that_are_none_have_no_file() -> None:
    assert files.Files([], ["../x", "A" * 64, "a" * 63]).job("../x") == ""


def test_a_url_of_the_page_has_its_file() -> None:
    job = "a" * 64
    found = files.Files(["sweep"], [job], ["graph"])
    urls = [
        "/",
        "/jobs",
        "/jobs?filter=experiment%3Dsweep",
        f"/job/{job}",
        "/results",
        "/graph",
        "/timeline",
        "/assets/page.css",
    ]
    assert [found.of_url(url) for url in urls] == [
        "index.html", "jobs/all-1.html", "jobs/sweep-1.html", f"job/{job}.html", "results.html", "views/graph.html", "",
        "assets/page.css",
    ]  # fmt: skip


def test_a_link_is_relative() -> None:
    assert files.relative("job/x.html", "jobs/all-1.html") == "../job/x.html"
    assert files.relative("job/x.html", "index.html") == "job/x.html"
