"""A page as a file: links lead to files, what needs the server is gone, and texts stay as they were."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_cli.page.export.files import Files
from xpm_cli.page.export.rewriting import rewritten

JOB = "a" * 64
FILES = Files(["sweep"], [JOB], ["graph"])


def of(text: str, place: str = "views/graph.html") -> str:
    return rewritten(text, place, FILES, "a copy")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f'<a class="x" href="/job/{JOB}">J</a>', f'<a class="x" href="../job/{JOB}.html">J</a>'),
        ('<a href="/job/none" title="t" onclick="x()">J</a>', '<span title="t">J</span>'),
        ('<a href="#here">J</a>', '<a href="#here">J</a>'),
        ('<a href="javascript:alert(1)">J</a>', "<span>J</span>"),
        ('<a href="https://evil.example/">J</a>', "<span>J</span>"),
        ('<a class="button" href="/acting/cancel">Cancel</a>!', "!"),
        ('<nav><a href="/live">x</a><a href="/">first</a></nav>', '<nav><a href="../index.html">first</a></nav>'),
        ('<svg><a href="/timeline?lane=1"><rect></rect></a></svg>', "<svg><g><rect></rect></g></svg>"),
        (f'<svg><a href="/job/{JOB}"><g></g></a></svg>', f'<svg><a href="../job/{JOB}.html"><g></g></a></svg>'),
        ("<script>1 < 2</script>a<noscript><p>b</p></noscript>c", "ac"),
        ('<form action="/x"><p>a<input name="b"><button>c</button></p></form>', "<p>a</p>"),
        ("<button>a <b>c</b></button> e", " e"),
        ('<p data-live="/" hx-get="/" style="x" class="y">a</p>', '<p class="y">a</p>'),
        ('<link href="/assets/page.css"><link href="/assets/x.js">', '<link href="../assets/page.css">'),
        ('<meta charset="x"><meta http-equiv="refresh" content="1"><meta name="xpm-cursor">', '<meta charset="x">'),
        ("<p>&lt;b&gt; &amp; &#39; &eacute;</p>", "<p>&lt;b&gt; &amp; &#39; &eacute;</p>"),
        ("<!DOCTYPE html><br/><td>x", "<!DOCTYPE html><br><td>x"),
        ("<main>x</main>", '<p class="notice">a copy</p>\n<main>x</main>'),
    ],
)  # fmt: skip
def test_what_becomes_of_it(before: str, after: str) -> None:
    assert of(before) == after


class _Text(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found, self.titles, self.tags = "", list[str | None](), set[str]()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.titles += [value for name, value in attrs if name == "title"]

    def handle_data(self, data: str) -> None:
        self.found += data


@given(st.text())
def test_whatever_a_job_has_written_stays_text(text: str) -> None:
    found = _Text(of(f'<p title="{escape(text)}">{escape(text)}</p>'))
    assert (found.found, found.titles, found.tags) == (text, [text], {"p"})
