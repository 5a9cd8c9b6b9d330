"""Tables in notebooks: texts are escaped, and long tables are cut with a word about it."""

from __future__ import annotations

from html.parser import HTMLParser

from helpers.result_jobs import FakeJob, table
from helpers.sheets import HOSTILE, hostile_sheet

from xpm_core.results.formats.html_form import as_html
from xpm_core.results.formats.sheet import Sheet, Span
from xpm_core.states import State


class Reader(HTMLParser):
    """The tags of a page, and the texts in its cells."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def test_texts_are_texts() -> None:
    found = read(as_html(hostile_sheet()))
    assert found.tags == {"div", "table", "tr", "td", "span"}
    for text in HOSTILE:
        assert "".join(each for each in text if each.isprintable() or each in "\n\t") in found.cells


def test_a_notebook_shows_cells_with_their_counts_and_states_in_colour() -> None:
    jobs = [FakeJob({"lr": 0.1, "seed": seed}, {"f1": seed}) for seed in range(3)]
    assert read(table(jobs).over("seed")._repr_html_()).cells[-1].startswith("1 ± 2 n=3 seeds")
    assert "color:" in table(jobs).select("state")._repr_html_()
    assert "font-weight" in as_html(Sheet(["a"], [[1]], bold={(0, 0)}))


def test_a_long_table_is_cut_and_says_so() -> None:
    found = as_html(Sheet(["a"], [[at] for at in range(10_000)], notes=[f"note {at}." for at in range(30)]))
    assert len(found) < 20_000
    assert "50 of 10000 rows: to_csv() has all" in found
    assert "20 more notes: .notes has all" in found


def test_headings_above_headings() -> None:
    assert read(as_html(Sheet(["a", "b"], [], spans=[Span("x", 1, 1)]))).cells == ["", "x", "a", "b"]
    assert State.DONE.value in read(as_html(Sheet(["state"], [[State.DONE]]))).cells
