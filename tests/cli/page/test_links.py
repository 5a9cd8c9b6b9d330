"""The filter goes with the user from view to view."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from helpers.page import PageClient
from helpers.simulated_jobs import ERROR, Lab
from helpers.waiting import wait_until

from xpm_cli.page.links import Links
from xpm_cli.page.rendering import VIEWS
from xpm_core.states import State

FILTER = "state=failed and name='a&b'"


def hrefs(text: str) -> list[str]:
    return [href.replace("&amp;", "&") for href in re.findall(r'href="([^"]*)"', text)]


def filter_in(href: str) -> str:
    return parse_qs(urlsplit(href).query).get("filter", [""])[0]


@pytest.mark.redis
def test_from_each_view_the_filter_goes_along_to_all_others(lab: Lab, page: PageClient) -> None:
    lab.end("a", State.FAILED, ERROR)
    identity = lab.identity("a")
    wait_until(lambda: page.desk.listed("state=failed").matched == 1)
    links = Links("state=failed")
    views = [getattr(links, name)() if name in ("experiments", "workers") else None for name in VIEWS]
    urls = [*filter(None, views), links.job(identity), links.log(identity, "err"), links.code(identity)]
    urls += [links.jobs("state=failed"), links.graph(identity), links.timeline("state=failed")]
    for url in urls:
        text = page.get(url)
        nav = text[text.index('<nav aria-label="Views">') : text.index("</nav>")]
        assert [filter_in(href) for href in hrefs(nav)] == ["state=failed"] * (1 + len(VIEWS)), url
        to_jobs = [href for href in hrefs(text) if href.startswith(f"/job/{identity}") and "/files/" not in href]
        assert {filter_in(href) for href in to_jobs} <= {"state=failed"}, url
    assert f'href="{links.job(identity)}"' in page.get(links.jobs("state=failed"))
    answer = page.client.get(f"/job/{identity[:9]}?filter=state%3Dfailed", follow_redirects=False)
    assert answer.headers["location"] == links.job(identity)


@pytest.mark.redis
def test_views_that_no_filter_narrows_say_so(lab: Lab, page: PageClient) -> None:
    for url in ("/", "/workers"):
        assert "This view shows everything. The filter <code>lr&gt;1</code>" in page.get(f"{url}?filter=lr>1")
        assert "This view shows everything" not in page.get(url)


@pytest.mark.parametrize("url", [Links(FILTER).job("ab"), Links(FILTER).workers(), Links(FILTER).log("ab", at=3)])
def test_a_filter_is_written_so_that_it_comes_back_as_it_was(url: str) -> None:
    assert filter_in(url) == FILTER


def test_files_have_no_filter() -> None:
    assert Links(FILTER).file("ab", "a/b c") == "/job/ab/files/a/b%20c"
