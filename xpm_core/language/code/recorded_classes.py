"""Find the classes that a payload records: import them, or make local ones again."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

from xpm_core.errors import PayloadError, TaskImportError
from xpm_core.language.code.local_digest import LocalDigests
from xpm_core.language.values.encoding import canonical
from xpm_core.project.origin import attribute, class_id, within_project
from xpm_core.project.own_names import is_own, present_module

if TYPE_CHECKING:
    from xpm_core.language.code.local_rebuilder import Rebuilder
    from xpm_core.language.parameters.schema import Schema


class RecordedClasses:
    """The classes that a payload records. Each is found when it is first needed.

    Args:
        records: Their class records.
        decode: Reads the data that local classes use.
        known: The classes that were imported before, by module, name and file. Classes that are found are added.
    """

    def __init__(
        self,
        records: Sequence[dict[str, Any]],
        decode: Callable[[bytes], Any],
        known: dict[tuple[str, str, str | None], type],
    ) -> None:
        self.records, self.known = records, known
        self.found: dict[int, type | None] = {}
        self.decode = decode
        self.rebuilder: Rebuilder | None = None

    @cached_property
    def digests(self) -> LocalDigests:
        """The digests of the choices that functions made for local classes."""
        return LocalDigests(self.records, lambda data: canonical(self.decode(data)))

    def __getitem__(self, number: Any) -> type:
        found = self.find(number)
        assert found is not None, "asked for while it is made"
        return found

    def find(self, number: int) -> type | None:
        """The class of a number; None for a local class that is just being made.

        Raises:
            TaskImportError: Its module cannot be imported, or has no such class.
            PayloadError: The class that was found has another name in identities.
        """
        if number not in self.found:
            record = self.records[number]
            self.found[number] = None
            self.found[number] = self.rebuilt(record) if "local" in record else self.imported(record)
            if self.rebuilder is not None:
                self.rebuilder.fill()
            self.check(record, self.found[number])
            schema: Schema | None = getattr(self.found[number], "__xpm_schema__", None)
            if "local" in record and schema is not None:
                schema.local_digest = self.digests.digest(number)
            if "value" in record:
                self.set_value_class(self.found[number], self.find(record["value"]))
        return self.found[number]

    def rebuilt(self, record: dict[str, Any]) -> type:
        """Make the local class of a record again."""
        if self.rebuilder is None:
            from xpm_core.language.code.local_rebuilder import Rebuilder  # late, because few classes are local

            self.rebuilder = Rebuilder(self.find, module_of, self.decode)
        return self.rebuilder.rebuild(record)

    def imported(self, record: dict[str, Any]) -> type:
        key = (record["module"], record["name"], record["file"])
        if key not in self.known:
            self.known[key] = imported(record)
        return self.known[key]

    def set_value_class(self, cls: Any, value: Any) -> None:
        """Give a local class its value class, which derives from it."""
        if value is None or not issubclass(value, cls):
            raise PayloadError("payload", f"{value} is no class of objects of {cls}", "Submit the task again.")
        cls.__xpm_schema__.value_class = value

    def check(self, record: dict[str, Any], found: Any) -> None:
        """Refuse a class whose name in identities is not that at the submission."""
        if class_id(found) != record["id"]:
            name = f"{record['module']}.{record['name']}"
            wrong = f"it is now {class_id(found)!r}, and was {record['id']!r}"
            raise PayloadError(name, wrong, "Submit the task again.")


def imported(record: dict[str, Any]) -> type:
    """Import the class of a record."""
    module, name = record["module"], record["name"]
    found = attribute(module_of(record), name)
    if not isinstance(found, type):
        raise TaskImportError(module, f"{module}.{name}", lacking(record))
    return found


def lacking(record: dict[str, Any]) -> str:
    """Why a module lacks the class of a record: it may be another module, if the recorded file does not exist here."""
    module, name, file = record["module"], record["name"], record["file"]
    there = sys.modules.get(module)
    if file is None or os.path.isfile(file) or there is None or same_file(there, file, record):
        return f"module {module!r} has no class {name!r}"
    where = getattr(there, "__file__", None) or "built into Python"
    return f"{module!r} is another module here: {where}"


def module_of(record: dict[str, Any]) -> ModuleType:
    """The module of a record, found by its name. If that fails or finds another module, it is loaded from its file.

    A module of xpm is never loaded from a file: this process uses its own release.
    """
    name = present_module(record["module"], record["name"])
    file: Any = None if is_own(name) else record["file"]
    reachable = file is not None and os.path.isfile(file)
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if reachable and error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            return module_at(name, file, record)
        raise TaskImportError(name, f"{name}.{record['name']}", str(error)) from error
    except (Exception, SystemExit) as error:  # the user's module can raise anything
        raise TaskImportError(name, f"{name}.{record['name']}", f"{type(error).__name__}: {error}") from error
    return module_at(name, file, record) if reachable and not same_file(module, file, record) else module


def same_file(module: ModuleType, file: str, record: dict[str, Any]) -> bool:
    """Whether a module was loaded from the recorded file, or from the same file of a clone."""
    found = getattr(module, "__file__", None)
    if found is None:
        return False
    if found == file or os.path.realpath(found) == os.path.realpath(file):
        return True
    return bool(within_project(os.path.abspath(found), record["module"]) == record["project"])


def module_at(name: str, file: str, record: dict[str, Any]) -> ModuleType:
    """Load the module in a file under a name for which `import` finds nothing, or another module."""
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise TaskImportError(name, f"{name}.{record['name']}", f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    other = sys.modules.get(name)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # the user's module can raise anything
        del sys.modules[name]
        raise TaskImportError(name, f"{name}.{record['name']}", f"{type(error).__name__}: {error}") from error
    finally:
        if other is not None:
            sys.modules[name] = other
    return module
