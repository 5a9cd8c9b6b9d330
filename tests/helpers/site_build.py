"""Build the site of the documents, and find what is wrong with it.

    python tests/helpers/site_build.py

The navigation of the site comes from the lists in the pages themselves: docs/index.md lists the sections, the index.md
of a section lists its pages, and a page `language.md` lists those of a folder `language`.

zensical, which builds the site, finds dead links and headings. This finds the rest: pages that are in no list, text
that Markdown did not understand as it was meant, and anything that a page would load from the network.

`from helpers.site_build import SITE, build, indent_problems, list_problems, page_problems`.
"""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = "zensical.toml"
WITH_NAVIGATION = ".zensical.toml"
"""The configuration with the navigation, while the site is built."""

SITE = "site"
"""The folder that is built, in that of the configuration."""

INDEX = "index.md"

ODD = re.compile(r"(?: {1,3}| {5,7})\S")
"""An indent that the Markdown of the site reads otherwise than GitHub does: after an empty line, or before an item."""
ITEM = re.compile(r"(?:[-*]|\d+\.) ")
COLOURS = re.compile(r"\x1b\[[\d;]*m")
ITEM_LINK = re.compile(r"^(?:##+ (.*)|(?:[-*]|\d+\.|\|) \[([^\]]+)\]\(([^)#\s]+\.md)\).*)$", re.MULTILINE)
"""A heading, or the link with which an item of a list or a row of a table begins."""
LOADED = re.compile(r"<(?:script|img|iframe|link|source)\b[^>]*?\s(?:src|href)=\"([^\"]*)\"")
STYLE_URL = re.compile(r"(?:url\(|@import\s*)[\"']?((?:https?:)?//[^)\"']+)")
CODE = re.compile(r"<(pre|code|script|style|svg)\b.*?</\1>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")
BAR = re.compile(r"<td>.*\\\|.*</td>")
RAW = re.compile(r"^ *(?:(?:[-*]|\d+\.) |\|.*\|$|```|#{1,6} )|\*\*\w|\]\([\w./#-]+\)|^::: |^>>> ", re.MULTILINE)


def build(folder: Path) -> list[str]:
    """Build the site of a folder that holds zensical.toml and docs, and return the problems that were found."""
    settings = folder / WITH_NAVIGATION
    head, project, rest = (folder / CONFIGURATION).read_text().partition("[project]\n")
    settings.write_text(f"{head}{project}nav = {toml(navigation(folder / 'docs'))}\n{rest}")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", settings.name]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    finally:
        settings.unlink()
    said = COLOURS.sub("", done.stdout + done.stderr).partition("Traceback")[0]
    known = ("Build started", "Build finished", "No issues found")
    lines = [line.rstrip() for line in said.splitlines() if line.strip() and not line.startswith(known)]
    return lines or (["the build failed"] if done.returncode else [])


Navigation = list[tuple[str, "str | Navigation"]]
"""Titles, each with its page, or with the pages below it. A page without a title begins a list."""


def navigation(docs: Path) -> Navigation:
    """The navigation of the site."""
    return [("", INDEX), *below(docs, docs / INDEX)]


def below(docs: Path, page: Path) -> Navigation:
    """The pages that a page lists, and below each of these the pages that it lists in turn.

    The headings of the index of a section are titles, too.
    """
    found: Navigation = []
    part = found
    for heading, title, link in ITEM_LINK.findall(page.read_text()):
        if heading:
            if page.name == INDEX and page.parent != docs:
                part = []
                found.append((heading, part))
            continue
        target = (page.parent / link).resolve()
        if not target.is_relative_to(own_folder(page).resolve()) or target == page.resolve():
            continue
        name = target.relative_to(docs.resolve()).as_posix()
        inner = below(docs, target) if target.exists() and own_folder(target).is_dir() else []
        part.append((title.replace("`", ""), [("", name), *inner] if inner else name))
    return [entry for entry in found if entry[1]]


def own_folder(page: Path) -> Path:
    """The folder of the pages that a page lists."""
    return page.parent if page.name == INDEX else page.with_suffix("")


def toml(entries: Navigation) -> str:
    """A navigation as a list of TOML."""
    written = []
    for title, entry in entries:
        value = json.dumps(entry) if isinstance(entry, str) else toml(entry)
        written.append(f"{{ {json.dumps(title)} = {value} }}" if title else value)
    return f"[{', '.join(written)}]"


def names_in(entries: Navigation) -> Iterator[str]:
    """The pages of a navigation, in order."""
    for _, entry in entries:
        yield from [entry] if isinstance(entry, str) else names_in(entry)


def list_problems(folder: Path) -> list[str]:
    """The pages that no list names, those that two lists name, and names in lists without a page."""
    docs = folder / "docs"
    pages = sorted(path.relative_to(docs).as_posix() for path in docs.rglob("*.md"))
    named = Counter(names_in(navigation(docs)))
    found = [f"docs/{name}: a list names it, and it does not exist" for name in named if name not in pages]
    found += [f"docs/{name}: no list names it. Name it in docs/{index_of(name)}" for name in pages if not named[name]]
    return found + [f"docs/{name}: lists name it {count} times" for name, count in named.items() if count > 1]


def index_of(page: str) -> str:
    """The page that lists a page."""
    section, _, rest = page.partition("/")
    return INDEX if rest in ("", INDEX) else f"{section}/{INDEX}"


def indent_problems(folder: Path) -> list[str]:
    """Lines of lists whose indent is no multiple of 4. The site takes them out of their list, or out of their code."""
    found = []
    for page in sorted((folder / "docs").rglob("*.md")):
        before, fenced = "", False
        for number, line in enumerate(page.read_text().splitlines(), 1):
            fenced ^= line.startswith("```")
            if not fenced and ODD.match(line) and (not before or ITEM.match(line.lstrip())):
                found.append(
                    f"{page.relative_to(folder)}:{number}: indent it by 4 spaces, code in a list by 8: {line[:60]!r}"
                )
            before = line.strip()
    return found


def page_problems(folder: Path) -> list[str]:
    """What is wrong with the built pages: text that is still Markdown, and what they load from elsewhere."""
    found = []
    for page in sorted((folder / SITE).rglob("*.html")):
        text = page.read_text()
        name = page.relative_to(folder).as_posix()
        found += [f"{name}: loads {address}" for address in LOADED.findall(text) if "//" in address]
        article = CODE.sub("", text.partition("<article")[2].partition("</article>")[0])
        found += [f"{name}: write &#124; instead of a bar: {row!r}" for row in BAR.findall(text)]
        for paragraph in re.findall(r"<(?:p|td|li)\b[^>]*>(.*?)</(?:p|td|li)>", article, re.DOTALL):
            words = html.unescape(TAG.sub("", paragraph))
            if (raw := RAW.search(words)) is not None:
                found.append(f"{name}: Markdown did not understand {words[raw.start() :][:80]!r}")
    for style in sorted((folder / SITE).rglob("*.css")):
        found += [f"{style.relative_to(folder)}: loads {url}" for url in STYLE_URL.findall(style.read_text())]
    return found


def main() -> None:
    """Build the site of this project, as `make docs` does."""
    if sys.version_info < (3, 11):
        sys.exit("make docs: the site needs Python 3.11 or later. Remove .venv, and put a later python3 first on PATH.")
    problems = list_problems(ROOT) + indent_problems(ROOT) + build(ROOT)
    problems = problems or page_problems(ROOT)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        sys.exit(1)
    print(f"open {SITE}/index.html")


if __name__ == "__main__":
    main()
