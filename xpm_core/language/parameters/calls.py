"""Calls of users' methods and functions: refuse those that cannot run, when they are given.

Only a call that surely fails is refused. A wrapper can do anything, so it is accepted.
"""

from __future__ import annotations

import functools
from types import AsyncGeneratorType, CoroutineType, FunctionType, GeneratorType, MethodType
from typing import Any, NamedTuple

from xpm_core.errors import DeclarationError, ShapedError
from xpm_core.language.parameters.schema import short_repr

ARGUMENTS = {"execute": "self", "task_outputs": "self, dep", "__validate__": "self", "__post_init__": "self"}
"""The methods that xpm calls, with their arguments."""

VARIABLE, GENERATOR, COROUTINES = 0x04, 0x20, 0x80 | 0x100 | 0x200
"""Flags of code objects, as in the module inspect, which is slow to import."""

UNRUN = {CoroutineType: "coroutine", GeneratorType: "generator", AsyncGeneratorType: "generator"}
"""The results of a call that has run nothing of a function, and their words in messages."""


class Call(NamedTuple):
    """A function with the arguments of a call.

    Attributes:
        function: The function.
        given: The number of positional arguments.
        named: The names of the keyword arguments.
    """

    function: FunctionType
    given: int
    named: frozenset[str]


def refuse_uncallable(cls: type) -> None:
    """Refuse a class with a method that could not run when xpm calls it. An abstract class may have such a method.

    Raises:
        DeclarationError: The class has such a method.
    """
    if getattr(cls, "__abstractmethods__", None):
        return
    for name in ARGUMENTS:
        owner = next((base for base in cls.__mro__ if name in vars(base)), None)
        if owner is None or vars(owner).get("__xpm_base__") or not called(cls, name):
            continue
        if (problem := method_problem(vars(owner)[name], name)) is not None:
            raise DeclarationError(f"{cls.__name__}.{name}", *problem)


def called(cls: type, name: str) -> bool:
    """Whether xpm calls a method of that name of a class. It calls `execute` of tasks only."""
    return name.startswith("__") or any(vars(base).get("__xpm_base__") and name in vars(base) for base in cls.__mro__)


def method_problem(value: Any, name: str) -> tuple[str, str] | None:
    """What is wrong with a method, and the remedy; None when it can run."""
    write = f"Write def {name}({ARGUMENTS[name]})"
    if not callable(value) and not hasattr(type(value), "__get__"):
        return f"it is {short_repr(value)} ({type(value).__name__}), which cannot be called", f"{write}."
    if (call := call_of(value, ARGUMENTS[name].count(","))) is None:
        return None
    if (found := undone(call)) is not None:
        return found[0], f"{write}{found[1]}."
    wrong = wrong_arguments(call)
    return None if wrong is None else (wrong, f"{write}, and declare all other inputs as parameters of the class.")


def undone(call: Call) -> tuple[str, str] | None:
    """Why a call would run nothing of a function, and how to write it instead; None when it can run."""
    if call.function.__code__.co_flags & COROUTINES:
        return "it is async, so calling it runs nothing of it", ", and call asyncio.run(...) in it"
    if call.function.__code__.co_flags & GENERATOR:
        return "it has a yield, so calling it runs nothing of it", " without it"
    return None


def refuse_callback(callback: Any, where: str, error: type[ShapedError]) -> None:
    """Refuse a function that xpm shall call later, if a call could not run it.

    Args:
        callback: The function.
        where: The beginning of the message.
        error: The class of the error.

    Raises:
        ShapedError: A call could not run it. The error is of the class that is given.
    """
    if not callable(callback):
        problem = f"it is {short_repr(callback)} ({type(callback).__name__}), which cannot be called"
        raise error(where, problem, "Give a function.")
    call = plain_call(callback, 1)
    if call is not None and (found := undone(call)) is not None:
        raise error(where, found[0], f"Give a function by def{found[1]}.")


def call_of(value: Any, count: int) -> Call | None:
    """The call that runs when an attribute of a class is called on an object; None when that is not known."""
    if isinstance(value, staticmethod):
        return plain_call(value.__func__, count)
    if isinstance(value, (FunctionType, classmethod)):
        return plain_call(getattr(value, "__func__", value), count + 1)
    if isinstance(value, functools.partialmethod):
        return plain_call(value.func, count + 1 + len(value.args), frozenset(value.keywords))
    return None if hasattr(type(value), "__get__") else plain_call(value, count)


def plain_call(value: Any, count: int, named: frozenset[str] = frozenset()) -> Call | None:
    """The call that runs when an object itself is called; None when that is not known."""
    if isinstance(value, functools.partial):
        return plain_call(value.func, count + len(value.args), named | value.keywords.keys())
    if isinstance(value, MethodType):
        return plain_call(value.__func__, count + 1, named)
    if isinstance(value, FunctionType):
        return Call(value, count, named)
    inner = getattr(type(value), "__call__", None)  # noqa: B004 -- the attribute of the class is needed
    return Call(inner, count + 1, named) if isinstance(inner, FunctionType) else None


def wrong_arguments(call: Call) -> str | None:
    """What is wrong with the arguments of a call; None when nothing is."""
    function: Any = call.function
    code = function.__code__
    keywords = {*call.named, *(function.__kwdefaults__ or ())}
    needed = code.co_varnames[call.given : code.co_argcount - len(function.__defaults__ or ())]
    needed += code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    if missing := [repr(name) for name in needed if name not in keywords]:
        return f"it needs {' and '.join(missing)}, which is not passed"
    if call.given > code.co_argcount and not code.co_flags & VARIABLE:
        return f"it takes {code.co_argcount} argument{'s' * (code.co_argcount != 1)}, and is given {call.given}"
    return None


def run(live: Any) -> Any:
    """Call the `execute` of a live object, and return its result.

    Raises:
        DeclarationError: It returned a coroutine or a generator, so nothing of it ran.
    """
    found = live.execute()
    if (what := UNRUN.get(type(found))) is not None:
        wrong = f"it returned a {what}, so nothing of it ran"
        raise DeclarationError(f"{type(live).__name__}.execute", wrong, "Run it there, and return when it is done.")
    return found
