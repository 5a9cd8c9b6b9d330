"""The rules for templates and scripts of the page: what a job can put there is text, and the policy forbids nothing.

The Content-Security-Policy lets a browser run and style nothing that stands in a page itself. A browser says so only to
those who look into its console. So these rules say it first.
"""

from __future__ import annotations

import re

import pytest
from helpers.project_files import ROOT, files, place

PAGE = "xpm_cli/page"
MARKED = {"xpm_cli/page/svg.py", "xpm_cli/page/log/ansi.py"}
"""The modules that escape by themselves."""

IN_TEMPLATES = {
    r"<script(?![^>]*\ssrc=)": "a script that stands in the page",
    r"<style": "a style that stands in the page",
    r"\sstyle\s*=": "a style of an element",
    r"<[^>]*\son[a-z]+\s*=": "a handler that stands in the page",
    r"hx-on|js:|javascript:|hx-trigger=\"[^\"]*\[": "code that htmx would evaluate",
    r"\|\s*safe\b|autoescape|Markup": "a text that is not escaped",
    r"(?:href|src|action)=\"(?:https?:)?//": "something from elsewhere",
}
IN_SCRIPTS = {
    r"\beval\(|new Function|setTimeout\(\s*[\"'`]": "code in a text",
    r"document\.write|insertAdjacentHTML|outerHTML": "a text that becomes a part of the page",
    r"https?://": "something from elsewhere",
}


def found(rules: dict[str, str], text: str) -> list[str]:
    """What breaks the rules in a text."""
    return [what for pattern, what in rules.items() if re.search(pattern, text)]


def test_templates_have_no_code_no_style_and_nothing_that_is_not_escaped() -> None:
    broken = [
        f"{place(path)}: {what}" for path in files(".jinja", PAGE) for what in found(IN_TEMPLATES, path.read_text())
    ]
    assert broken == []


def test_scripts_evaluate_nothing_and_are_strict() -> None:
    scripts = [path for path in files(".js", PAGE) if path.parent.name != "vendor"]
    broken = [f"{place(path)}: {what}" for path in scripts for what in found(IN_SCRIPTS, path.read_text())]
    broken += [f"{place(path)}: not strict" for path in scripts if '"use strict";' not in path.read_text()]
    broken += [f"{place(path)}: does not say what it owns" for path in scripts if " Owns: " not in path.read_text()]
    assert broken == []


def test_only_modules_that_escape_by_themselves_make_markup() -> None:
    modules = {place(path) for path in files(".py", PAGE) if re.search(r"\bMarkup\(", path.read_text())}
    assert modules <= MARKED
    assert "autoescape=True" in (ROOT / PAGE / "rendering.py").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "<script>x()</script>",
        '<script defer>x()</script><script src="a.js"></script>',
        "<style>p {}</style>",
        '<p style="width: 3%">',
        '<button onclick="x()">',
        '<div hx-on:click="x()">',
        "{{ name|safe }}",
        '<script src="//cdn/x.js"></script>',
    ],
)
def test_what_breaks_a_rule_is_noticed(text: str) -> None:
    assert len(found(IN_TEMPLATES, text)) >= 1
