"""SVG: whatever others choose is text in it, and it has no way to run anything."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_cli.page.svg import element, link, number, title, together

HOSTILE = [
    "<script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "' onload='alert(1)",
    '" onmouseover="alert(1)',
    "</title></svg><img src=x onerror=alert(1)>",
    "]]><script>alert(1)</script>",
    "&lt;script&gt;",
    "\x1b[2J\x00\x08‮evil",
    "\ud800",
]


class Read(HTMLParser):
    """What a browser makes of a document: its elements with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_text(text: str) -> None:
    found = Read(element("text", title(text), text, class_=text, aria_label=text))
    assert [tag for tag, _ in found.elements] == ["text", "title"]
    assert set(found.elements[0][1]) == {"class", "aria-label"}
    found.text.encode()


@given(st.text())
def test_any_text_is_one_text(text: str) -> None:
    drawn = element("g", element("text", text), element("a", text, href="/job?x=" + text.replace("/", "")))
    assert [tag for tag, _ in Read(drawn).elements] == ["g", "text", "a"]
    drawn.encode()


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//evil.org/", "/\\evil.org", "https://evil.org", " /job"])
def test_links_stay_on_the_page(address: str) -> None:
    with pytest.raises(ValueError, match="no link within the page"):
        link(address, "x")


@pytest.mark.parametrize("name", ["script", "foreignObject", "use", "image", "style", "animate"])
def test_there_are_no_other_elements(name: str) -> None:
    with pytest.raises(ValueError, match="no element"):
        element(name)


@pytest.mark.parametrize("name", ["onclick", "style", "fill", "xlink:href", 'x" y'])
def test_there_are_no_other_attributes(name: str) -> None:
    with pytest.raises(ValueError, match="no attribute"):
        element("rect", **{name: "1"})


def test_what_is_drawn_is_not_escaped_twice() -> None:
    inside = together(element("text", "a<b"), element("text", "c"))
    assert element("g", inside) == "<g><text>a&lt;b</text><text>c</text></g>"
    assert element("rect", x=1.0, y=None, width="50%") == '<rect x="1" width="50%"></rect>'


def test_a_long_text_is_cut() -> None:
    assert len(element("text", "x" * 10_000)) < 400


def test_lengths_are_short() -> None:
    assert [number(each) for each in (10.0, 100.0, 0.0, 12.345, -0.5)] == ["10", "100", "0", "12.35", "-0.5"]
