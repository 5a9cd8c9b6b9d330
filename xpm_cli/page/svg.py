"""SVG as text: elements whose texts and values are escaped here, and nowhere else.

Only a few elements and attributes exist here. None of them runs a script or has a style, so that the page's rules for
content (Content-Security-Policy) hold for pictures, too. Colours come from classes.
"""

from __future__ import annotations

from markupsafe import Markup, escape

Drawn = Markup
"""A part of a picture. It is safe, because `element` has made it."""

ELEMENTS = frozenset({"a", "desc", "g", "line", "path", "rect", "svg", "text", "title"})
ATTRIBUTES = frozenset(
    {
        "aria-hidden", "aria-label", "class", "d", "data-from", "data-job", "data-to", "dx", "dy", "height", "href",
        "id", "marker-end", "role", "rx", "tabindex", "text-anchor", "viewBox", "width", "x", "x1", "x2", "y", "y1",
        "y2", "preserveAspectRatio",
    }
)  # fmt: skip
LONGEST = 300
"""Characters to which a text is cut: others choose how long a name is."""


def element(name: str, /, *inside: str, **attributes: str | float | None) -> Drawn:
    """An element.

    Args:
        name: Its name, one of `ELEMENTS`.
        inside: What stands in it. What another call has made stays as it is; any other text is escaped.
        attributes: Its attributes, of `ATTRIBUTES`. A `_` at the end of a name is left out, another `_` stands for `-`.
            An attribute without a value (None) is left out.

    Raises:
        ValueError: The picture would have an element, an attribute or a link that pictures do not have.

    Example:
        >>> element("text", "a < b", class_="name", x=10.0)
        Markup('<text class="name" x="10">a &lt; b</text>')
    """
    if name not in ELEMENTS:
        raise ValueError(f"no element of a picture: {name!r}")
    given = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    content = "".join(each if isinstance(each, Markup) else escape(_plain(each)) for each in inside)
    return Markup(f"<{name}{given}>{content}</{name}>")


def together(*parts: Drawn) -> Drawn:
    """Some parts, one after the other."""
    return Markup("").join(parts)


def title(text: str) -> Drawn:
    """What is shown of an element when somebody points at it, and what a screen reader reads."""
    return element("title", text)


def link(address: str, *inside: str, **attributes: str | float | None) -> Drawn:
    """A link to another place of the page.

    It is left out when somebody goes through the page by the tab key: there may be a thousand of them, and the table
    beside the picture has the same links.
    """
    return element("a", *inside, href=address, tabindex="-1", **attributes)


def number(value: float) -> str:
    """A length, to a hundredth: 12.5, 12.

    Example:
        >>> number(12.5), number(12.0), number(0.333333)
        ('12.5', '12', '0.33')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _attribute(key: str, value: str | float) -> str:
    name = key.rstrip("_").replace("_", "-")
    if name not in ATTRIBUTES:
        raise ValueError(f"no attribute of a picture: {name!r}")
    text = value if isinstance(value, str) else number(value)
    if name == "href" and (not text.startswith(("/", "?", "#")) or text.startswith(("//", "/\\"))):
        raise ValueError(f"no link within the page: {text!r}")
    return f' {name}="{escape(_plain(text, None if name in ("d", "href") else LONGEST))}"'


def _plain(text: str, most: int | None = LONGEST) -> str:
    """A text without characters that no document may hold, and not longer than people read it."""
    shown = "".join(each if each.isprintable() or each == "\n" else "?" for each in text)
    return shown if most is None or len(shown) <= most else shown[: most - 1] + "…"
