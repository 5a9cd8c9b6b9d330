"""Calls whose effect only a running program knows, by name.

Owns: these lists.
"""

from __future__ import annotations

CODE = frozenset({"exec", "eval", "compile", "types.FunctionType", "types.CodeType", "runpy.run_path"})
"""They run code that is not in the file as code."""

IMPORTS = frozenset({"__import__", "importlib.import_module", "importlib.__import__"})
"""They import a module. If its name is a text in the call, it is followed."""

ATTRIBUTE_CALLS = frozenset({"getattr", "operator.attrgetter", "operator.methodcaller"})
"""They take an attribute by a name."""

ATTRIBUTES = frozenset({"__subclasses__", "__globals__", "__builtins__"})
"""Attributes that lead to what no name leads to."""

_MORE = frozenset(
    {
        "globals", "importlib.reload", "importlib.util.spec_from_file_location", "importlib.util.module_from_spec",
        "importlib.util.find_spec", "importlib.machinery.SourceFileLoader", "runpy.run_module", "types.ModuleType",
        "types.new_class", "dataclasses.make_dataclass", "pkgutil.iter_modules",
        "pkgutil.walk_packages", "pkgutil.resolve_name", "pydoc.locate", "inspect.getmembers", "gc.get_objects",
        "pickle.load", "pickle.loads", "dill.load", "dill.loads", "cloudpickle.load", "cloudpickle.loads",
        "joblib.load", "hydra.utils.instantiate", "hydra.utils.get_class", "sys.settrace", "sys.setprofile",
    }
)  # fmt: skip

SHORT = frozenset({"importlib.import_module", "importlib.__import__"})
"""They are known by their last name."""

_CLASS_ARGUMENTS = 3
"""With so many, `type` makes a class."""


def is_unknown(name: str, arguments: int) -> bool:
    """Whether the walk cannot follow a call of this full name with so many arguments."""
    if name == "type":
        return arguments >= _CLASS_ARGUMENTS
    return name in CODE or name in IMPORTS or name in _MORE
