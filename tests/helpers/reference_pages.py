"""The parts of the reference that are made from the code: `make reference` writes them.

A page holds such a part between two comments, `<!-- made: NAME -->` and `<!-- end -->`. Everything else of the page is
written by hand.

`from helpers.reference_pages import PAGES, current`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # also as a script

from helpers.command_pages import commands_text
from helpers.error_pages import errors_text
from helpers.project_files import ROOT

PARTS: dict[str, Callable[[], str]] = {
    "commands": commands_text,
    "errors": errors_text,
}
"""What makes each part."""

PAGES = [ROOT / "docs" / "reference" / name for name in ("cli.md", "errors.md")]
"""The pages that have such parts."""

_PART = re.compile(r"(<!-- made: (\w+) -->\n).*?(\n<!-- end -->)", re.DOTALL)


def current(text: str) -> str:
    """A page with its made parts as the code is now.

    Example:
        >>> page.read_text() == current(page.read_text())
        True
    """
    return _PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]()}\n{part[3]}", text)


def main() -> None:
    """Write the pages that are not current."""
    for page in PAGES:
        before = page.read_text()
        after = current(before)
        if after != before:
            page.write_text(after)
            print(f"wrote {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
