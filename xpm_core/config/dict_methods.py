"""The methods of Config that make configurations from plain values, and back; see xpm_core.language.dict_form."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import IO, TYPE_CHECKING, Any, ClassVar

from xpm_core.tracebacks.edges import edge

if TYPE_CHECKING:
    from typing_extensions import Self


class DictMethods:
    """A base of Config. Its names are names of Config itself, so no parameter can have them."""

    __xpm_base__: ClassVar[bool] = True

    @classmethod
    @edge
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a configuration from plain values, as JSON and YAML have them, or from values that OmegaConf loaded.

        The types of the parameters say what a value becomes: a text can become a path, a date, or a member of an Enum
        (by its name), and a list can become a tuple or a set. Nothing else is converted. A dict becomes a
        configuration. Its entry `class` names a class derived from the declared one, or one of several. A parameter
        without an entry keeps its default, or is missing.

        Args:
            values: The values, by parameter.

        Returns:
            A configuration of the class, or of the one that `class` names.

        Raises:
            ConfigurationError: An entry does not fit, or there is no such parameter; names its path.

        Example:
            >>> Learn.from_dict({"epochs": 3, "optimizer": {"class": "Adam", "lr": 0.1}})
        """
        from xpm_core.language import dict_form  # late, because most scripts do without it

        return dict_form.from_dict(cls, values)

    @classmethod
    @edge
    def from_yaml(cls, file: str | PathLike[str] | IO[str]) -> Self:
        """Make a configuration from a YAML file, as `from_dict` does. Errors name the line in the file.

        Args:
            file: The path of the file, or an open text file.

        Raises:
            YamlError: The file is no YAML, or a dict has a key twice.
            ConfigurationError: An entry does not fit, or there is no such parameter; names its path.

        Example:
            >>> Learn.from_yaml("learn.yaml")
        """
        from xpm_core.language import dict_form

        return dict_form.from_yaml(cls, file)

    @edge
    def to_dict(self) -> dict[str, Any]:
        """The values as plain values, from which `from_dict` makes an equal configuration. Tags are left out.

        A shared configuration becomes one dict, which is shared in the same way.

        Raises:
            ParameterValueError: Plain values cannot express something that counts, such as the task that made it.

        Example:
            >>> Model.C(layers=5).to_dict()
            {'layers': 5}
        """
        from xpm_core.language import dict_form

        return dict_form.to_dict(self)
