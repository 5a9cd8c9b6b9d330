"""Tables to be written, with cells made by hand and with texts that are hostile to each form."""

from __future__ import annotations

import math

from xpm_core.results.formats.sheet import Sheet

HOSTILE = (
    "a|b", "50 %", "R&D", "\\textbf{x}", "<script>alert(1)</script>", "two\nlines", "tab\there", "{", "}", "$x$",
    "#1", "a_b", "~^`", '"quoted"', "--seed", "?`x", "[x]", "*bold*", "%", "\\", "&amp;", "naïve Ångström",
    "λ ≤ 0.5 ± ²", "漢字 🙂", "\x00\x1b[31m", "e\u0301", "-", "''", ",,", "=1+1", " padded ", "\u202e", "-->", "\\\\",
)  # fmt: skip


def plain_sheet() -> Sheet:
    """A row for each job."""
    return Sheet(
        headings=["model", "lr", "accuracy", "steps"],
        rows=[["mlp", 0.1, 0.91237, 1200], ["svm", 0.01, None, 30], ["svm", 1, math.nan, None]],
        labels=2,
        names=["model=mlp lr=0.1", "model=svm lr=0.01", "model=svm lr=1"],
        jobs=[("3f2a91c" + "0" * 57,), ("77b01de" + "0" * 57,), ("aaaaaaa" + "0" * 57,)],
        codes={"3f2a91c" + "0" * 57: "8c1f2e000000"},
        notes=["Of 3 done jobs of Train: 1 without accuracy."],
    )


def hostile_sheet() -> Sheet:
    """Texts in each place: headings, values, notes, the caption."""
    rows = [[text, text, 0.5] for text in HOSTILE]
    return Sheet(
        headings=["x|y <b> & %", "\\input{y}", "score\n_"],
        rows=rows,
        labels=1,
        names=list(HOSTILE),
        jobs=[[text] for text in HOSTILE],
        codes={text: text for text in HOSTILE},
        caption="100 % <i>",
        notes=list(HOSTILE),
        bold={(0, 2), (2, 1)},
    )
