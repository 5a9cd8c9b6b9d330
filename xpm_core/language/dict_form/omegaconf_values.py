"""Values that OmegaConf loaded, as plain values. It is not imported here: a script with such values has imported it."""

from __future__ import annotations

import sys
from typing import Any

from xpm_core.errors import MissingParameterError, ParameterValueError


def unwrapped(value: Any, where: str) -> Any:
    """A container of OmegaConf as a dict or list, with its interpolations resolved; any other value as it is.

    Args:
        value: The value.
        where: Its path.

    Raises:
        MissingParameterError: A value in it is missing: `???`.
        ParameterValueError: An interpolation names nothing.
    """
    omegaconf = sys.modules.get("omegaconf")
    if omegaconf is None or not isinstance(value, (omegaconf.DictConfig, omegaconf.ListConfig)):
        return value
    try:
        return omegaconf.OmegaConf.to_container(value, resolve=True, throw_on_missing=True)
    except omegaconf.errors.OmegaConfBaseException as error:
        key = getattr(error, "full_key", "")
        path = f"{where}.{key}" if key else where
        if isinstance(error, omegaconf.errors.MissingMandatoryValue):
            raise MissingParameterError(path, "it is missing (???)", "Give it a value, or leave it out.") from None
        said = str(error).splitlines()[0]
        raise ParameterValueError(path, f"OmegaConf cannot read it ({said})", "Correct it there.") from None
