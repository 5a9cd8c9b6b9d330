"""Calls whose effect only a running program knows, by name.

Owns: these lists.
"""

from __future__ import annotations

import ast

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
        "joblib.load", "importlib.metadata.entry_points", "pkg_resources.iter_entry_points", "ctypes.CDLL",
        "ctypes.PyDLL", "ctypes.cdll.LoadLibrary", "torch.ops.load_library", "torch.utils.cpp_extension.load",
        "hydra.utils.instantiate", "hydra.utils.get_class", "sys.settrace", "sys.setprofile",
    }
)  # fmt: skip

PROGRAMS = frozenset(
    {
        "subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
        "subprocess.getoutput", "subprocess.getstatusoutput", "os.system", "os.popen", "os.execv", "os.execve",
        "os.execvp", "os.execvpe", "os.execl", "os.execlp", "os.spawnv", "os.spawnvp", "os.posix_spawn",
        "os.posix_spawnp", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell",
    }
)  # fmt: skip
"""They start a program, which can run files of the project."""

_HARMLESS = frozenset(
    {
        "git", "nvidia-smi", "hostname", "uname", "lscpu", "free", "df", "du", "date", "whoami", "id", "ps", "ls",
        "cp", "mv", "rm", "ln", "mkdir", "chmod", "touch", "cat", "head", "tail", "wc", "sort", "grep", "tar", "gzip",
        "gunzip", "zip", "unzip", "rsync", "scp", "wget", "curl", "ffmpeg", "convert", "dot", "pdflatex", "squeue",
        "sinfo", "scontrol",
    }
)  # fmt: skip
"""Programs that run no code of a project."""

_SHELL = frozenset(";&|`$<>()\n")
"""Characters with which a shell can start another program."""

PATHS = frozenset({"sys.path.insert", "sys.path.append", "sys.path.extend", "site.addsitedir"})
"""They change where modules are found. In a function, no script has done so before."""

VALUES = frozenset({"exec", "eval", "globals", "sys.modules", "runpy.run_path", *IMPORTS, *ATTRIBUTE_CALLS})
"""What is a place also where it is only named: somebody else calls it."""

LAST_NAMES = frozenset(each.rpartition(".")[2] for each in VALUES)

_SHORT = frozenset({"importlib.import_module", "importlib.__import__"})

_CLASS_ARGUMENTS = 3
"""With so many, `type` makes a class."""


def is_unknown(name: str, call: ast.Call) -> bool:
    """Whether the walk cannot follow a call of this full name."""
    if name == "type":
        return len(call.args) >= _CLASS_ARGUMENTS or any(isinstance(each, ast.Starred) for each in call.args)
    return name in CODE or name in IMPORTS or name in _MORE


def is_harmless_program(call: ast.Call) -> bool:
    """Whether a call starts a program that runs no code of a project. Its name has to stand in the call."""
    first = call.args[0] if call.args else None
    if isinstance(first, (ast.List, ast.Tuple)):
        first = first.elts[0] if first.elts else None
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str) or _SHELL & set(first.value):
        return False
    words = first.value.split()
    return bool(words) and words[0].rpartition("/")[2] in _HARMLESS


def shown(name: str) -> str:
    """A full name as people are told it: `import_module`."""
    return name.rpartition(".")[2] if name in _SHORT else name
