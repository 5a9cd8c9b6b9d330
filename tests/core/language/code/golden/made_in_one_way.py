"""A function that can make its classes in one way only. test_local_digest.py pins the identity of what it makes."""

from __future__ import annotations

import enum
import math

from xpm_core.config import Config, Param, Task

try:
    import no_such_module as fallback
except ImportError:
    fallback = math


def unchanged(start: int) -> type[Task]:
    import math
    import os.path as paths

    import xpm_core.config
    import xpm_core.errors

    assert [default + 1 for default in (1,)], "a variable of its own"
    default = 5
    offset: int = -2

    def helper(value: int, times: int = 2) -> int:
        return math.floor(value) * times + default_of(value)

    def default_of(value: int) -> int:
        return len(paths.sep) + len(xpm_core.__name__)

    class Colour(enum.Enum):
        RED = 1

    class Base(Config):
        limit = default
        table = fallback
        small = offset
        size: Param[int] = start

        def shown(self) -> int:
            return helper(self.size)

    class Made(Task):
        __xpmid__ = "tests.made"
        base: Param[Base] = Base.C()
        colour: Param[Colour] = Colour.RED

        def execute(self) -> None:
            print(self.base.shown())

    return Made
