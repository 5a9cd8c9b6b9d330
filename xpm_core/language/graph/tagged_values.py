"""Numbers and texts that bring their tag: whatever parameter takes one gets the plain value, and the tag with it.

The configuration that `xpm run` makes holds such values where the YAML file has a grid. So a task that is made of them
(`Learn.C(lr=config.lr)`) has the tag. True, False, None, paths and members of an Enum cannot bring a tag, because
Python allows no classes derived from theirs.
"""

from __future__ import annotations

from typing import Any

from xpm_core.language.graph.state import is_configuration, state_of
from xpm_core.language.graph.walk import reachable


class TaggedInt(int):
    """An int that brings its tag, in the attribute `label`."""


class TaggedFloat(float):
    """A float that brings its tag, in the attribute `label`."""


class TaggedText(str):
    """A text that brings its tag, in the attribute `label`."""


PLAIN: dict[type, Any] = {TaggedInt: int, TaggedFloat: float, TaggedText: str}
"""The classes of values that bring their tag, each with the plain class."""

BRINGING: dict[type, Any] = {plain: tagged for tagged, plain in PLAIN.items()}
"""The plain classes, each with the class of values that bring their tag."""


def without_tag(value: Any) -> Any:
    """The plain value of one that brings its tag; any other value itself."""
    plain = PLAIN.get(type(value))
    return value if plain is None else plain(value)


def label_brought(value: Any) -> Any:
    """The tag of a value that brings it: the name that a grid gives to the value, else the plain value."""
    return vars(value).get("label", without_tag(value))


def bring_tags(root: Any) -> None:
    """Let the values of a configuration, and of those below it, bring the tags that their parameters have.

    Args:
        root: The configuration, not sealed.
    """
    for _, config in reachable(root, is_configuration):
        content = config.__dict__
        for name, (label, _, of_parameter) in state_of(config).tags.items():
            bringing = BRINGING.get(type(content.get(name)))
            if of_parameter and bringing is not None:
                content[name] = bringing(content[name])
                content[name].label = label
