"""A table in LaTeX for a paper: booktabs, numbers aligned on the decimal point, and where each number comes from.

A column of decimals is two columns of LaTeX, `r@{.}l`, which meet at the point. So no package but booktabs is needed,
and bold numbers are aligned, too. A comment below each row names the jobs and the code of each cell.

Owns: this form. `latex_text` owns texts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from xpm_core.labels import short
from xpm_core.results.formats.latex_text import comment, escaped, needs_unicode
from xpm_core.results.formats.sheet import Missing, Sheet, is_folded, is_number, text_of

_NUMBER = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?")
_LABEL = re.compile(r"[^A-Za-z0-9:._-]+")
_POWER = re.compile(r"(?<=\d)e([+-]?\d+)")
_MINUS = re.compile(r"(?<!e)-")
DASH = "--"
NAMED = 5
"""How many jobs a footnote names for each reason."""


class _Value(NamedTuple):
    """A value in parts.

    Attributes:
        sign: A minus, or nothing.
        whole: The digits before the point.
        rest: Those after it.
        power: The exponent of ten; empty without one.
        spread: The interval, in LaTeX.
    """

    sign: str
    whole: str
    rest: str
    power: str
    spread: str


@dataclass
class _Footnotes:
    """The footnotes of a table. Equal ones have one mark."""

    texts: dict[str, int] = field(default_factory=dict)

    def mark(self, text: str) -> str:
        """The mark of a footnote, in LaTeX."""
        return rf"\textsuperscript{{{self.letter(self.texts.setdefault(text, len(self.texts)))}}}"

    @staticmethod
    def letter(at: int) -> str:
        """a, b, … z, aa, ab, …"""
        found = ""
        while at >= 0:
            found, at = chr(ord("a") + at % 26) + found, at // 26 - 1
        return found

    def lines(self) -> Iterator[str]:
        """The footnotes, below the table."""
        if self.texts:
            yield r"  \par\smallskip"
        for text, at in self.texts.items():
            yield rf"  {{\footnotesize \textsuperscript{{{self.letter(at)}}} {escaped(text)}\par}}"


def as_latex(sheet: Sheet, caption: str = "", label: str = "", *, environment: str = "table") -> str:
    """The table in LaTeX.

    Args:
        sheet: The table.
        caption: A text before the sentence that says what a cell is.
        label: The label for `\\ref`; characters that LaTeX does not take become `-`.
        environment: "table" or "table*"; empty for the tabular alone.
    """
    notes = _Footnotes()
    columns = [_Column(sheet, at) for at in range(len(sheet.headings))]
    body = [line for at in range(len(sheet.rows)) for line in _row(sheet, columns, at, notes)]
    table = [
        rf"  \begin{{tabular}}{{{''.join(column.form for column in columns) or 'l'}}}",
        r"    \toprule",
        *_spans(sheet, columns),
        f"    {' & '.join(column.heading for column in columns)} \\\\",
        r"    \midrule",
        *body,
        r"    \bottomrule",
        r"  \end{tabular}",
    ]
    title = caption.strip()
    title += "." if sheet.caption and title and title[-1] not in ".!?" else ""
    said = f"{title} {sheet.caption}".strip()
    head = ["% Made by xpm. It needs \\usepackage{booktabs}."]
    if any(map(needs_unicode, [said, *sheet.headings, *(text_of(value) for row in sheet.rows for value in row)])):
        head.append("% It has letters that only XeLaTeX and LuaLaTeX show; pdfLaTeX shows their numbers.")
    head += [comment(note) for note in sheet.notes]
    if not environment:
        return "\n".join([*head, *table, *notes.lines()]) + "\n"
    titles = [rf"  \caption{{{escaped(said)}}}"] if said else []
    titles += [rf"  \label{{{_LABEL.sub('-', label)}}}"] if label else []
    begin, end = rf"\begin{{{environment}}}", rf"\end{{{environment}}}"
    return "\n".join([*head, begin, r"  \centering", *titles, *table, *notes.lines(), end]) + "\n"


# -- columns -----------------------------------------------------------------------------------------------------------


class _Column:
    """How a column is aligned.

    Attributes:
        form: What stands for it in the head of the tabular.
        width: How many columns of LaTeX it takes.
        heading: Its heading, in LaTeX.
    """

    def __init__(self, sheet: Sheet, at: int) -> None:
        self.exact = at < sheet.labels
        values = [value for value in sheet.column(at) if value is not None]
        parsed = [self.value(value) for value in values]
        numbers = [value for value in parsed if value is not None]
        self.is_number = bool(numbers) and all(
            value is not None or is_folded(each) or is_number(each)  # nan and inf are numbers, too
            for value, each in zip(parsed, values, strict=True)
        )
        if self.exact and any(value.power for value in numbers):
            self.is_number = False
        self._digits = max([len(value.rest) for value in numbers], default=0)
        self.is_decimal = self.is_number and any(value.rest or value.spread for value in numbers)
        self.width = 2 if self.is_decimal else 1
        self.form = "r@{.}l" if self.is_decimal else "r" if self.is_number else "l"
        text = escaped(sheet.headings[at])
        self.heading = self._across(text) if self.is_decimal else text

    def value(self, value: Any) -> _Value | None:
        """A number in parts; None for what is none, and for a cell without a mean."""
        if not is_folded(value) and not is_number(value):
            return None
        number, _, spread = text_of(value, exact=self.exact).partition(" ")
        found = _NUMBER.fullmatch(number)
        if found is None:  # nan, inf
            return None
        sign, whole, rest, power = (part or "" for part in found.groups())
        power = str(int(power)) if power else ""
        return _Value(sign, whole, rest, power, _typeset(spread))

    def cell(self, value: Any, *, bold: bool, mark: str) -> str:
        """A value in LaTeX."""
        found = self.value(value) if self.is_number else None
        if found is None:
            text = _typeset(value.value_text) if is_folded(value) else escaped(text_of(value, exact=self.exact))
            text = DASH if value is None else text
            return self._across(_bold(text, bold) + mark) if self.width == 2 else _bold(text, bold) + mark
        if mark and (found.spread.endswith("}$") or (found.power and not found.spread)):
            mark = rf"\,{mark}"  # apart from an exponent
        sign = "$-$" if found.sign else ""
        power = rf"$\times10^{{{found.power}}}$" if found.power else ""
        whole = f"{sign}{_bold(found.whole, bold)}"
        if self.width == 1:
            return f"{whole}{power}{mark}"
        left = whole if found.rest else rf"\multicolumn{{1}}{{r@{{\phantom{{.}}}}}}{{{whole}}}"
        pad = rf"\phantom{{{'0' * (self._digits - len(found.rest))}}}" if len(found.rest) < self._digits else ""
        spread = f"{pad} {found.spread}" if found.spread else ""
        return f"{left}&{_bold(found.rest, bold)}{power}{spread}{mark}"

    def _across(self, text: str) -> str:
        return rf"\multicolumn{{2}}{{c}}{{{text}}}"


def _typeset(numbers: str) -> str:
    """Numbers of a cell in LaTeX: `± 2.0e-13`, `[-0.1, 0.2]`, and `--` as it is."""
    if numbers == DASH:
        return numbers
    powers = _POWER.sub(lambda found: rf"$\times10^{{{int(found[1])}}}$", _MINUS.sub("$-$", numbers))
    return powers.replace("±", r"$\pm$")


def _bold(text: str, bold: bool) -> str:
    return rf"\textbf{{{text}}}" if bold and text else text


def _spans(sheet: Sheet, columns: Sequence[_Column]) -> Iterator[str]:
    """The headings above the headings, with a rule below each."""
    if not sheet.spans:
        return
    begins = {span.first: span for span in sheet.spans}
    cells, rules, at, place = [], [], 0, 1
    while at < len(columns):
        span = begins.get(at)
        last = span.last if span else at
        width = sum(column.width for column in columns[at : last + 1])
        if span:
            cells.append(rf"\multicolumn{{{width}}}{{c}}{{{escaped(span.text)}}}")
            rules.append(rf"\cmidrule(lr){{{place}-{place + width - 1}}}")
        else:
            cells.append(rf"\multicolumn{{{width}}}{{c}}{{}}")  # else the point of a decimal column is drawn
        at, place = last + 1, place + width
    yield f"    {' & '.join(cells)} \\\\"
    yield f"    {' '.join(rules)}"


# -- rows --------------------------------------------------------------------------------------------------------------


def _row(sheet: Sheet, columns: Sequence[_Column], at: int, notes: _Footnotes) -> Iterator[str]:
    """A row, and the comments that say where its numbers come from."""
    cells, said = [], []
    name = sheet.names[at] if at < len(sheet.names) else ""
    for place, column in enumerate(columns):
        value = sheet.rows[at][place]
        mark = ""
        if is_folded(value):
            if text := _hole(value.n, value.missing, value.count_text, value.note if value.interval is None else ""):
                mark = notes.mark(f"{name}: {text}" if name else text)
            said.append(_source(sheet.headings[place], value.jobs, sheet))
        elif (at, place) in sheet.sources and value is not None:
            said.append(_source(sheet.headings[place], sheet.sources[at, place], sheet))
        elif value is None and place >= sheet.labels:
            text = _nothing(sheet, place)
            mark = notes.mark(f"{name}: {text}" if name else text)
        cells.append(column.cell(value, bold=(at, place) in sheet.bold, mark=mark))
    yield f"    {' & '.join(cells)} \\\\"
    if at < len(sheet.jobs) and not said:
        said.append(_source("row", sheet.jobs[at], sheet))
    yield from said


def _nothing(sheet: Sheet, place: int) -> str:
    """The footnote of an empty place: what is not there."""
    above = next((span.text for span in sheet.spans if span.first <= place <= span.last), "")
    return f"no job with {above}={sheet.headings[place]}" if above else f"no {sheet.headings[place]}"


def _source(heading: str, jobs: Collection[str], sheet: Sheet) -> str:
    """The comment that names the jobs of a cell, and their code."""
    codes = list(dict.fromkeys(sheet.codes[job] for job in jobs if sheet.codes.get(job)))
    names = " ".join(short(job) for job in jobs) or "no job"
    return f"    {comment(f'{heading}: {names}' + (f', code {chr(32).join(codes)}' if codes else ''))}"


def _hole(n: int, missing: Sequence[Missing], count: str, note: str) -> str:
    """The footnote of a cell that lacks jobs, or its interval; empty for none."""
    reasons: dict[str, list[Missing]] = {}
    for each in missing:
        reasons.setdefault(each.why, []).append(each)
    parts = [_reason(why, found) for why, found in reasons.items()]
    text = f"{count.removeprefix('n=')} ({', '.join(parts)})" if parts else ""
    if not note or (text and not n):  # that there are no values is said by the jobs that are missing
        return text
    return f"{text}; {note}" if text else f"{note} ({count})" if n else note


def _reason(why: str, found: Sequence[Missing]) -> str:
    jobs = [short(each.job) for each in found if each.job]
    named = jobs if why not in ("running", "ready", "waiting", "delayed") else []
    named = named or [each.at for each in found if not each.job]
    more = [f"and {len(named) - NAMED} more"] if len(named) > NAMED else []
    return f"{len(found)} {why}" + (f": {' '.join([*named[:NAMED], *more])}" if named else "")
