"""Partial identifiers: identities by some of the parameters, for directories that several tasks share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from xpm_core.errors import DeclarationError
from xpm_core.language.identity.digest import partial_identity, task_id
from xpm_core.language.identity.seal import seal
from xpm_core.language.parameters.schema import ParameterGroup


class Partial:
    """The choice of parameters for a partial identifier. `partial` makes it; its class attribute names it."""

    __slots__ = ("exclude_all", "exclude_groups", "exclude_no_group", "include_groups", "name")

    def __init__(self, exclude: Iterable[ParameterGroup], include: Iterable[ParameterGroup]) -> None:
        self.exclude_groups, self.include_groups = frozenset(exclude), frozenset(include)
        self.exclude_all = self.exclude_no_group = False
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.name or name

    def takes(self, groups: frozenset[ParameterGroup]) -> bool:
        """Whether a parameter of those groups counts in the partial identifier."""
        if groups & self.include_groups:
            return True
        return not (self.exclude_all or groups & self.exclude_groups or (self.exclude_no_group and not groups))

    def folder(self, config: Any) -> str:
        """The directory that all configurations with the same partial identifier share, relative to the workspace."""
        if not self.name:
            raise DeclarationError(
                type(config).__name__, "a partial identifier has no name", "Make it an attribute of the class."
            )
        seal(config)
        return f"partials/{task_id(type(config)).replace(':', '.')}/{self.name}/{partial_identity(config, self.takes)}"


def partial(
    *,
    exclude_groups: Iterable[ParameterGroup] = (),
    include_groups: Iterable[ParameterGroup] = (),
    exclude_no_group: bool = False,
    exclude_all: bool = False,
) -> Partial:
    """Declare a partial identifier as an attribute of a class.

    Args:
        exclude_groups: Parameters of these groups are left out.
        include_groups: Parameters of these groups count, whatever the other arguments say.
        exclude_no_group: Whether parameters without a group are left out.
        exclude_all: Whether all parameters are left out.

    Returns:
        An object for `PathGenerator(..., partial=...)`.

    Example:
        >>> iterations = param_group("iterations")
        >>> class Learn(Task):
        ...     checkpoints = partial(exclude_groups=[iterations])
        ...     rate: Param[float]
        ...     max_iterations: Param[int] = field(groups=[iterations])
        ...     checkpoint: Meta[Path] = field(default_factory=PathGenerator("model.pt", partial=checkpoints))
    """
    found = Partial(exclude_groups, include_groups)
    found.exclude_all, found.exclude_no_group = exclude_all, exclude_no_group
    return found
