"""The site of the documents: it is built, no warning, each page is reached, links lead somewhere, examples run."""

from __future__ import annotations

import html
import importlib.util
import inspect
import json
import re
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from helpers.documents import Block, blocks
from helpers.project_files import PACKAGES, ROOT, files, place, require
from helpers.site_build import CONFIGURATION, SITE, build, indent_problems, list_problems, navigation, page_problems

pytestmark = pytest.mark.slow

PAGES = files(".md", "docs")
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *PAGES]
API = ("xpm_core", "xpm_core.config", "xpm_core.click", "xpm_core.errors")
"""The modules whose names all have an entry in the reference."""

PLAYED = ("python", "pycon", "console", "diff")
"""The words of fenced blocks that `helpers.documents` runs."""

SHOWN = {
    "ini": "a part of a unit of systemd, which a user writes as the administrator",
    "text": "a drawing, or what is written at another place or time",
}
"""The words of fenced blocks that nothing can run, each with the reason."""

ELSEWHERE = {"docs/reference/identity.md": "tests/core/language/identity/test_digest.py"}
"""Pages whose examples another test runs, in another way."""

LINK = re.compile(r"\]\(([^)\s]*)\)")
HEADING = re.compile(r"^#{1,6} +(.*?)(?: +\{[^}]*\})?$", re.MULTILINE)
DIRECTIVE = re.compile(r"^::: ([\w.]+)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


# -- the built site ----------------------------------------------------------------------------------------------------


def copied(target: Path) -> Path:
    """A folder with all that the site is built from."""
    for name in ("docs", "tests/helpers", *PACKAGES):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (CONFIGURATION, "pyproject.toml"):
        shutil.copy(ROOT / name, target)
    return target


def require_builder() -> None:
    """Skip a test that builds the site, or fail it in CI, if there is nothing to build it with."""
    if sys.version_info < (3, 11):
        pytest.skip("zensical needs Python 3.11")
    for name in ("zensical", "mkdocstrings_handlers"):
        require(importlib.util.find_spec(name), name)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built in a folder of its own."""
    require_builder()
    folder = copied(tmp_path_factory.mktemp("site"))
    assert build(folder) == []
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A site of two pages, for tests of what is noticed."""
    (tmp_path / "docs").mkdir()
    (tmp_path / CONFIGURATION).write_text('[project]\nsite_name = "small"\ntheme.font = false\n')
    (tmp_path / "docs" / "index.md").write_text("# Small\n\n- [More](more.md)\n")
    (tmp_path / "docs" / "more.md").write_text("# More\n\nText.\n")
    return tmp_path


def test_site_is_built_and_each_page_is_as_it_was_meant(site: Path) -> None:
    assert page_problems(site) == []
    assert len(list((site / SITE).rglob("*.html"))) >= len(PAGES)


def test_search_finds_what_people_look_for(site: Path) -> None:
    items = json.loads((site / SITE / "search.json").read_text())["items"]
    texts = [f"{item['title']} {item['text']}" for item in items]
    for word in ("token", "retry", "why"):
        assert any(re.search(rf"\b{word}", text, re.IGNORECASE) for text in texts), word


def test_search_works_in_pages_that_are_opened_as_files(site: Path) -> None:
    script = (site / SITE / "search.js").read_text()
    assert script.startswith("var __index = ")
    assert json.loads(script.removeprefix("var __index = ").rstrip().rstrip(";"))["items"]
    assert 'src="../assets/iframe-worker.js"' in (site / SITE / "reference" / "index.html").read_text()


def test_every_public_name_has_an_entry(site: Path) -> None:
    pages = "".join(path.read_text() for path in (site / SITE / "reference" / "api").glob("*.html"))
    entries = set(re.findall(r'id="([\w.]+)"', pages))
    for module in API:
        names = {name for name in import_module(module).__all__ if name != "__version__"}
        missing = {name for name in names if not {f"{each}.{name}" for each in (module, "xpm_core")} & entries}
        assert missing == set(), module


def test_docstrings_show_examples_as_code_and_properties_as_such(site: Path) -> None:
    page = (site / SITE / "reference" / "api" / "xpm_core.html").read_text()
    code = html.unescape(re.sub(r"<[^>]+>", "", "".join(re.findall(r"<pre>.*?</pre>", page, re.DOTALL))))
    assert ">>> Learn.C(epochs=tag(100)).tags()" in code
    assert 'with experiment("workspace", "digits") as xp:' in code
    for name, what in {"state": "attribute", "wait": "function"}.items():
        assert f'<span class="doc doc-object-name doc-{what}-name">{name}</span>' in page


DEAD = {
    "[dead](nothing.md)": "page does not exist",
    "[dead](more.md#nothing)": "anchor does not exist",
}
"""Links, and what is said of each."""

ODD = {
    "Said:\n- a list that is none": "Markdown did not understand '- a list that is none'",
    "| a | b |\n| c | d |": "Markdown did not understand '| a | b |",
    "| a | b |\n| - | - |\n| `c \\| d` | e |": "write &#124; instead of a bar: '<td><code>c",
    "![a picture](https://example.org/a.png)": "loads https://example.org/a.png",
}
"""Texts of pages, and what is said of each."""


def test_what_is_wrong_with_a_page_is_noticed_and_nothing_else(small: Path) -> None:
    require_builder()
    assert build(small) == []
    assert page_problems(small) == []
    for number, text in enumerate(ODD):
        (small / "docs" / f"odd{number}.md").write_text(f"# Odd\n\n{text}\n")
    assert build(small) == []
    problems = page_problems(small)
    assert {problem.partition(":")[0] for problem in problems} == {
        f"{SITE}/odd{number}/index.html" for number in range(4)
    }
    for number, noticed in enumerate(ODD.values()):
        assert any(problem.startswith(f"{SITE}/odd{number}/index.html") and noticed in problem for problem in problems)
    (small / "docs" / "index.md").write_text("# Small\n\n" + "\n\n".join(DEAD) + "\n")
    lines = build(small)
    for noticed in DEAD.values():
        assert any(noticed in line for line in lines), noticed


# -- the lists of pages ------------------------------------------------------------------------------------------------


def test_every_page_is_in_one_list() -> None:
    assert list_problems(ROOT) == []


def test_page_that_no_list_names_is_noticed(small: Path) -> None:
    assert list_problems(small) == []
    (small / "docs" / "lost.md").write_text("# Lost\n")
    (small / "docs" / "more.md").unlink()
    assert list_problems(small) == [
        "docs/more.md: a list names it, and it does not exist",
        "docs/lost.md: no list names it. Name it in docs/index.md",
    ]


def test_navigation_comes_from_lists_tables_and_headings(tmp_path: Path) -> None:
    texts = {
        "index.md": "# All\n\n[This](one/a.md).\n\n## Sections\n\n- [One](one/index.md): first.\n- [Two](two.md)\n",
        "one/index.md": "# One\n\n1. [The `a`](a.md): a, see [Two](../two.md)\n\n## More\n\n| [B](b.md) | b |\n",
        "one/a.md": "# A\n\n- [B](b.md)\n",
        "one/b.md": "# B\n",
        "two.md": "# Two\n\n- [Below](two/below.md)\n- [One](one/index.md)\n\n## Heading\n",
        "two/below.md": "# Below\n",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert navigation(tmp_path) == [
        ("", "index.md"),
        ("One", [("", "one/index.md"), ("The a", "one/a.md"), ("More", [("B", "one/b.md")])]),
        ("Two", [("", "two.md"), ("Below", "two/below.md")]),
    ]


def test_lists_are_indented_as_the_site_reads_them() -> None:
    assert indent_problems(ROOT) == []


def test_wrong_indent_is_noticed(small: Path) -> None:
    text = (
        "# Small\n\n- one\n  goes on\n  - below\n    - right\n\n  again\n\n    right\n\n       code\n\n        right\n"
        "```text\n  - code\n```\n"
    )
    (small / "docs" / "index.md").write_text(text)
    assert [problem.split(":")[1] for problem in indent_problems(small)] == ["5", "8", "12"]


# -- links -------------------------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """What can stand behind the `#` of a link to a page: its headings, as GitHub names them, and names of the API."""
    text = page.read_text()
    found: set[str] = set(DIRECTIVE.findall(text))
    for heading in HEADING.findall(FENCED.sub("", text)):
        words = re.sub(r"\]\([^)]*\)", "", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", words).replace(" ", "-"))
    return found


def dead_links(page: Path, docs: Path = ROOT / "docs") -> Iterator[str]:
    """The links of a page that lead to no file, or to no heading of it. Links to other hosts are not followed.

    From the pages of the site, files beside it cannot be reached.
    """
    for link in LINK.findall(FENCED.sub("", page.read_text())):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if ":" in link.split("/")[0]:
            continue
        outside = page.is_relative_to(docs) and not target.resolve().is_relative_to(docs.resolve())
        if outside or not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", DOCUMENTS, ids=place)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    assert list(dead_links(page)) == []


def test_dead_links_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A heading, `code` and [a link](x.md)\n\n::: xpm_core.Config\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n[1](other.md) [2](other.md#a-heading-code-and-a-link) [3](#here) [4](https://example.org/x#y)\n"
        "[5](other.md#xpm_core.Config) [6](none.md) [7](other.md#none) [8](#there)\n```text\n[9](none.md)\n```\n"
    )
    assert list(dead_links(page)) == ["none.md", "other.md#none", "#there"]
    assert list(dead_links(page, docs=tmp_path)) == ["none.md", "other.md#none", "#there"]
    page.write_text("[1](../beside.py)\n")
    (tmp_path.parent / "beside.py").touch()
    assert list(dead_links(page)) == []
    assert list(dead_links(page, docs=tmp_path)) == ["../beside.py"]


# -- examples ----------------------------------------------------------------------------------------------------------


def played() -> dict[Path, str]:
    """The pages that tests play: by page, the test. Such a test has the page, or a list of pages, in a constant."""
    found: dict[Path, str] = {}
    for path in sorted((ROOT / "tests" / "whole" / "documents").glob("test_*.py")):
        spec = importlib.util.spec_from_file_location(f"played_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if not {"play", "play_in_order"} & vars(module).keys():
            continue
        for value in vars(module).values():
            for each in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(each, Path) and each.suffix == ".md":
                    found[each] = path.name
    return found


def idle(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page that nothing runs: no commands, no Python, no file of Python that one of these uses.

    Other files are written when the page is played.
    """
    found = list(blocks(page))
    for block in found:
        name = block.file or ""
        others = "".join(each.text for each in found if each is not block)
        words = "pytest" if name.startswith("test_") else rf"(?:from|import) {re.escape(Path(name).stem)}"
        used = re.search(rf"\b(?:{re.escape(name)}|{words})\b", others)
        if (name.endswith(".py") and not used) or (not name and block.kind not in (*PLAYED, *SHOWN)):
            yield block


def test_every_page_with_examples_is_played() -> None:
    with_examples = {page for page in PAGES if any(block.kind in PLAYED for block in blocks(page))}
    assert sorted({place(page) for page in with_examples - played().keys()} - ELSEWHERE.keys()) == []


def test_examples_that_run_elsewhere_do() -> None:
    for page, test in ELSEWHERE.items():
        assert page.removeprefix("docs/reference/") in (ROOT / test).read_text()


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_every_example_is_run(page: Path) -> None:
    assert [(block.line, block.kind, block.file) for block in idle(page)] == []


def test_fenced_blocks_say_what_they_are() -> None:
    bare = [
        place(page, line)
        for page in PAGES
        for line, text in enumerate(page.read_text().splitlines(), 1)
        if text.strip().startswith("```") and not re.fullmatch(r"```(?:[a-z]+)?", text)
    ]
    assert bare == []
    counts = {place(page): page.read_text().count("\n```") - 2 * len(list(blocks(page))) for page in PAGES}
    assert {name: count for name, count in counts.items() if count} == {}


def test_idle_example_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\n# a.py\n```\n```python\n# b.py\n```\n```console\n$ python b.py\n```\n```sh\nls\n```\n")
    assert [(block.kind, block.file) for block in idle(page)] == [("python", "a.py"), ("sh", None)]


# -- docstrings --------------------------------------------------------------------------------------------------------


def documented(docstring: str) -> list[str]:
    """The arguments that a docstring explains, in order."""
    section = docstring.partition("\nArgs:\n")[2].partition("\n\n")[0]
    return re.findall(r"^    (\w+):", section, re.MULTILINE)


@pytest.mark.parametrize("module", API)
def test_docstrings_of_public_functions_explain_their_arguments(module: str) -> None:
    wrong = {}
    for name in import_module(module).__all__:
        value = getattr(import_module(module), name)
        docstring = inspect.getdoc(value) or ""
        if inspect.isfunction(value) or (inspect.isclass(value) and "\nArgs:\n" in docstring):
            function = value.__init__ if inspect.isclass(value) else value
            wanted = [each for each in inspect.signature(function).parameters if each not in ("self", "unknown")]
            if documented(docstring) != wanted:
                wrong[name] = documented(docstring), wanted
    assert wrong == {}
