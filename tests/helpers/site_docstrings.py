"""An extension of griffe, which reads the docstrings for the site. zensical.toml names this file.

Two things of this project are unknown to griffe:

- The section `Example:`, with a session or with plain code. Griffe knows `Examples:`, with sessions (`>>> `) and text.
- `fallback_property`. Griffe takes such a property for a method.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

from griffe import Attribute, Class, Extension, Object

EXAMPLE = re.compile(r"^Example:\n((?: {4}.*\n|\n)+)", re.MULTILINE)
PROPERTY = "fallback_property"


def with_code(docstring: str) -> str:
    r"""A docstring whose example griffe can read.

    Example:
        >>> with_code("Wait.\n\nExample:\n    xp.wait()")
        'Wait.\n\nExamples:\n    ```python\n    xp.wait()\n    ```\n'
    """

    def written(match: re.Match[str]) -> str:
        code = textwrap.dedent(match[1]).strip("\n")
        block = code if code.startswith(">>> ") else f"```python\n{code}\n```"
        return f"Examples:\n{textwrap.indent(block, '    ')}\n"

    return EXAMPLE.sub(written, f"{docstring}\n")


class SiteDocstrings(Extension):
    """Changes what griffe has loaded."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        """Let the example of an object be code."""
        if obj.docstring is not None:
            obj.docstring.value = with_code(obj.docstring.value)

    def on_class_members(self, *, cls: Class, **kwargs: Any) -> None:
        """Make attributes of our properties. One that is a function, as its docstring says, stays a method."""
        for name, member in list(cls.members.items()):
            if not member.is_function or PROPERTY not in [str(each.value) for each in member.decorators]:
                continue
            if member.docstring is None or "\nReturns:\n" in member.docstring.value:
                continue
            place = {"lineno": member.lineno, "endlineno": member.endlineno, "parent": cls}
            found = Attribute(name, docstring=member.docstring, **place)
            found.labels.add("property")
            cls.set_member(name, found)
