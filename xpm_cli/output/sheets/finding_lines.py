"""What the doctor has found, as lines for people and as a document of JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import click

from xpm_cli.output.terminal import Terminal
from xpm_core.diagnosis.findings import Finding, Level
from xpm_core.words.text import plural

GLYPHS = {Level.OK: "✓", Level.MENDED: "✓", Level.UNKNOWN: "?", Level.WARNING: "!", Level.ERROR: "✗"}
COLOURS = {Level.OK: "green", Level.MENDED: "green", Level.WARNING: "yellow", Level.ERROR: "red"}
COUNTED = ((Level.ERROR, "error"), (Level.WARNING, "warning"))
GAP = "     "
"""What parts a finding from its remedy."""


def finding_lines(finding: Finding, terminal: Terminal) -> list[str]:
    """A finding and its remedy, side by side; the remedy in a line of its own if the terminal is too narrow."""
    glyph = click.style(terminal.text(GLYPHS[finding.level]), fg=COLOURS.get(finding.level))
    mended = "mended: " if finding.level is Level.MENDED else ""
    text = f"{finding.subject}: {mended}{finding.text}"
    whole = f"{text}{GAP}{finding.remedy}" if finding.remedy else text
    if terminal.width is None or len(whole) + 2 <= terminal.width:
        return [f"{glyph} {terminal.text(whole)}"]
    first, *more = terminal.wrapped("  ", text)
    remedy = terminal.wrapped("    ", finding.remedy) if finding.remedy else []
    return [f"{glyph} {first[2:]}", *more, *remedy]


def summary(findings: Sequence[Finding]) -> str:
    """How many findings of each kind there are, in one line."""
    counts = Counter(finding.level for finding in findings)
    parts = [plural(counts[level], word) for level, word in COUNTED if counts[level]]
    parts += [f"{counts[Level.MENDED]} mended"] if counts[Level.MENDED] else []
    parts += [f"{counts[Level.UNKNOWN]} not known"] if counts[Level.UNKNOWN] else []
    return ", ".join(parts) or "no faults"


def findings_record(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The findings in JSON."""
    return [
        {
            "level": finding.level.value,
            "subject": finding.subject,
            "text": finding.text,
            "remedy": finding.remedy,
            "repairable": finding.mend is not None,
        }
        for finding in findings
    ]
