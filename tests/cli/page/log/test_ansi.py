"""Lines of logs as HTML: only spans with a class, and the text that is seen."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from xpm_cli import page
from xpm_cli.page.log.ansi import cut, html_of, palette
from xpm_cli.page.log.styles import PLAIN, Style
from xpm_cli.page.log.visible import Run, runs_of, text_of

HOSTILE = st.lists(
    st.sampled_from(
        ["<script>alert(1)</script>", "</span>", '"', "'", "&lt;", "<!--", "<span class=f1 onclick=x>", "\x1b[31m",
         "\x1b[38;2;1;2;3m", "\x1b[0m", '\x1b[31"m', "\x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x07", "\r",
         "\b", "&#0;", "]]>"]
    ),
    max_size=20,
).map(lambda parts: "".join(parts).encode())  # fmt: skip


class Reader(HTMLParser):
    """What a browser reads."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.open, self.wrong = "", 0, []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = [name for name, _ in attrs]
        if tag != "span" or named != ["class"] or not re.fullmatch(r"[fk0-9bdirsu ]+", attrs[0][1] or ""):
            self.wrong.append((tag, attrs))
        self.open += 1

    def handle_endtag(self, tag: str) -> None:
        self.open -= 1

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.wrong.append(("comment", data))

    def handle_decl(self, decl: str) -> None:
        self.wrong.append(("declaration", decl))


@given(st.binary(max_size=80) | HOSTILE)
def test_html_of_any_bytes_has_only_spans_and_the_text_that_is_seen(data: bytes) -> None:
    data = data.replace(b"\n", b"")
    reader = Reader()
    reader.feed(str(html_of(runs_of(data)[0])))
    reader.close()
    assert (reader.wrong, reader.open) == ([], 0)
    assert reader.text == text_of(data)


def test_colours_are_classes_and_text_is_escaped() -> None:
    runs, _ = runs_of(b"\x1b[1;31m<b>&\"'\x1b[0m plain")
    assert html_of(runs) == '<span class="f1 b">&lt;b&gt;&amp;&#34;&#39;</span> plain'
    assert html_of([]) == ""


def test_a_line_is_cut_within_a_run() -> None:
    runs = [Run(PLAIN, "abc"), Run(Style(1), "def"), Run(PLAIN, "ghi")]
    assert cut(runs, 5) == ([Run(PLAIN, "abc"), Run(Style(1), "de")], 4)
    assert cut(runs, 9) == (runs, 0)


def test_palette_has_a_rule_for_each_colour_that_no_theme_changes() -> None:
    assert palette().count("\n") == 240
    assert ".log .f196{color:#ff0000}.log .k196{background:#ff0000}\n" in palette()


def test_the_style_of_logs_has_these_rules_and_one_for_each_colour_of_the_theme() -> None:
    css = (Path(page.__file__).parent / "assets" / "log.css").read_text()
    assert css.endswith(palette())
    for colour in range(16):
        assert f".log .f{colour} {{" in css
        assert f".log .k{colour} {{" in css
        assert css.count(f"--f{colour}: #") == 2, "one for light, one for dark"
    for mark in "bdirsu":
        assert f".log .{mark} {{" in css
