"""Make configurations again from one payload or part; see xpm_core.wire.payload."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, Flag
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import msgpack

from xpm_core.config.base import Config
from xpm_core.errors import MismatchError, PayloadError
from xpm_core.language.classes.declaration import complete
from xpm_core.language.code.allow_list import AllowList
from xpm_core.language.code.recorded_classes import RecordedClasses
from xpm_core.language.graph.state import STATE, ConfigState, blank
from xpm_core.language.parameters.object_kinds import object_kind
from xpm_core.language.parameters.schema import MISSING, Parameter, Schema, refusal
from xpm_core.language.values import data_objects
from xpm_core.language.values.decoding import Decoder
from xpm_core.project.import_path import ImportPath
from xpm_core.project.moved_code import MovedCode
from xpm_core.wire.form import ABSOLUTE, JOB, WORKSPACE

CHANGED = "Its code has changed since it was submitted: submit it again."

PartObject = tuple[bytes, int]
"""An object of a part: the part's digest, and the object's number in it."""


class ReadContext(NamedTuple):
    """What all parts of a payload share while it is read.

    Attributes:
        workspace: Where the workspace is on this machine.
        jobpath: The job's directory on this machine.
        allow: Patterns of the modules that may be imported; empty for all.
        code: Where the code of the script lies now.
        known: The classes that were imported, by module, name and file. Several parts can name one class.
        found: The configurations that have been made.
        by_name: Whether modules are found by their names alone, in the folders that this process imports from.
    """

    workspace: Path
    jobpath: Path
    allow: Sequence[str]
    code: MovedCode
    known: dict[tuple[str, str, str | None], type]
    found: dict[PartObject, Any]
    by_name: bool = False


class UnknownTask(Config):
    """Stands for a task that made a configuration. A payload holds only its name, digest and directory."""


class Restorer:
    """Makes the configurations of one payload or part again. Nothing is imported that is not allowed.

    Args:
        content: The content of the payload or part, checked to have the right form.
        site: What is shared with the other parts.
        part: The digest of the part; empty for a payload.

    Attributes:
        import_path: Where to import from. The reader of a payload follows it before it restores anything.

    Raises:
        ModuleNotAllowedError: The content needs a module that may not be imported.
    """

    def __init__(self, content: dict[str, Any], site: ReadContext, part: bytes = b"") -> None:
        self.site, self.part = site, part
        self.imports: list[PartObject] = [(other, n) for other, numbers in content.get("imports", ()) for n in numbers]
        self.objects = dict(enumerate(content["objects"], len(self.imports)))
        self.decode = Decoder(self.referred, path=self.path, enum=self.enum, make_object=self.make_object)
        records, import_path = moved_records(content["classes"], site.code), import_path_in(content, site.code)
        if site.by_name:
            records = _with_files(records, lambda _: None)
        if site.allow:
            records, import_path = AllowList(site.allow).checked(records, import_path)
        self.import_path = import_path
        self.classes = RecordedClasses(records, self.decode, site.known)

    def node(self, number: int) -> PartObject:
        """The object that a number means here. The first numbers mean objects of other parts."""
        return self.imports[number] if 0 <= number < len(self.imports) else (self.part, number)

    def below(self, number: int) -> list[PartObject]:
        """The objects that an object of a part refers to.

        Raises:
            PayloadError: The part has no object of that number.
        """
        if number not in self.objects:
            raise payload_error(f"it refers to object {number} of a part that has none of that number")
        return list(map(self.node, self.objects[number].get("below", ())))

    def restore(self, number: int) -> Any:
        """Make the configuration of a number. All that it refers to was made before."""
        config = self.site.found[self.part, number] = self.restored(self.objects[number])
        return config

    def put(self, config: Any, written: dict[str, bytes]) -> None:
        """Give a configuration of a part the generated paths that it has in this payload."""
        for name, path in written.items():
            parameter = schema_of_class(type(config)).parameters.get(name)
            if parameter is None or parameter.generator is None:
                raise payload_error(f"{type(config).__name__}.{name} is no generated path", CHANGED)
            config.__dict__[name] = self.value(type(config), parameter, name, path)

    def restored(self, found: dict[str, Any]) -> Any:
        """A configuration with the values that were written, each checked, and with all that its digest is made of."""
        cls = self.classes[found["class"]]
        schema = schema_of_class(cls)
        config = blank(cls)
        content = config.__dict__
        content.update(schema.prefilled)
        for name, factory in schema.factories:
            content[name] = factory()
        for name, written in found["values"].items():
            content[name] = self.value(cls, schema.parameters.get(name), name, written)
        for name, parameter in schema.parameters.items():
            if name not in content and parameter.generator is None:
                raise payload_error(f"{cls.__name__}.{name} has no value", CHANGED)
        own = content[STATE] = ConfigState((f"{cls.__name__} in a payload", 0))
        own.counted = tuple(found["counted"])
        own.init_tasks = tuple(map(self.config, found.get("init", ())))
        own.stand_in = self.config(found["stand_in"]) if "stand_in" in found else None
        own.source = self.source(found["source"]) if "source" in found else None
        own.ignored = found.get("meta")
        if "job" in found:
            own.submitted = SimpleNamespace(jobpath=self.place(found["job"]))
        return config

    def source(self, found: dict[str, Any]) -> UnknownTask:
        """The stand-in for a task that made a configuration."""
        unknown: UnknownTask = blank(UnknownTask)
        own = unknown.__dict__[STATE] = ConfigState((str(found["task"]), 0))
        own.digest, own.sealed, own.unknown = bytes(found["digest"]), True, True
        if "job" in found:
            own.submitted = SimpleNamespace(jobpath=self.place(found["job"]))
        return unknown

    def value(self, cls: type, parameter: Parameter | None, name: str, written: bytes) -> Any:
        value = self.decode(written)
        if parameter is None:
            raise payload_error(f"{cls.__name__} has no parameter {name!r} any more", CHANGED)
        current = parameter.default
        if parameter.role == "constant" and current is not MISSING and value != current:
            raise payload_error(f"the constant {cls.__name__}.{name} is now {current!r}, and was {value!r}", CHANGED)
        try:
            return parameter.check(value)
        except MismatchError as error:
            raise payload_error(str(refusal(f"{cls.__name__}.{name}", error, None)).rstrip("."), CHANGED) from None

    def referred(self, content: bytes) -> Any:
        return self.config(msgpack.unpackb(content))

    def config(self, number: Any) -> Any:
        """The configuration of a number. It was made before."""
        found = self.site.found.get(self.node(number)) if type(number) is int else None
        if found is None:
            raise payload_error(f"it refers to configuration {number!r}, of {len(self.site.found)}")
        return found

    def path(self, content: bytes) -> Path:
        base, path = content[:1], os.fsdecode(content[1:])
        if base == ABSOLUTE and os.path.isabs(path):
            return Path(path)
        if base in (WORKSPACE, JOB) and not os.path.isabs(path) and ".." not in path.split("/"):
            return Path(self.site.workspace if base == WORKSPACE else self.site.jobpath, path)
        raise payload_error(f"it has a path that leads elsewhere, {path!r}")

    def place(self, written: bytes) -> Path:
        """The directory of another job."""
        found = self.decode(written)
        if not isinstance(found, Path):
            raise payload_error(f"a job's directory is {found!r}")
        return found

    def enum(self, number: int, member: Any) -> Any:
        cls = self.classes[number]
        if not issubclass(cls, Enum):
            raise payload_error(f"{cls.__name__} is no Enum")
        return cls(member) if issubclass(cls, Flag) else cls[member]

    def make_object(self, number: int, fields: dict[str, Any]) -> Any:
        cls = self.classes[number]
        if object_kind(cls) is None:
            raise payload_error(f"{cls.__name__} is no class of dataclasses, attrs or pydantic")
        try:
            return data_objects.rebuilt_object(cls, fields)
        except KeyError as error:
            raise payload_error(f"it has no value for {cls.__name__}.{error.args[0]}", CHANGED) from None
        except Exception as error:  # the user's class can raise anything
            raise payload_error(
                f"{cls.__name__} refuses its fields ({type(error).__name__}: {error})", CHANGED
            ) from error


def import_path_in(content: dict[str, Any], code: MovedCode) -> ImportPath:
    """Where the script of an opened payload imports from, now that its code lies elsewhere.

    A script may have found its classes by the finder of an editable installation, which is no folder. Here it may lead
    to another checkout. Therefore the folders of the classes are added.
    """
    folders = list(map(code.here, content["folders"]))
    if code.folders:
        folders += [each for each in dict.fromkeys(_bases(content["classes"], code)) if each not in folders]
    return ImportPath(folders, content.get("standard", {}))


def _bases(records: Any, code: MovedCode) -> Iterator[str]:
    """The folders below which the modules of classes lie by their names, as far as these are in the moved code."""
    for record in records:
        file, module = record.get("file"), record.get("module")
        if isinstance(file, str) and isinstance(module, str):
            place, within = (
                os.path.splitext(code.here(file))[0].removesuffix("/__init__"),
                "/" + module.replace(".", "/"),
            )
            if code.holds(place) and place.endswith(within):
                yield place[: -len(within)]


def moved_records(records: Any, code: MovedCode) -> Any:
    """Class records, as a payload has them, with the files where they are now."""
    return _with_files(records, code.here) if code.folders else records


def _with_files(records: Any, file_of: Callable[[str], str | None]) -> Any:
    """Class records with another file in place of each recorded one."""
    if isinstance(records, list):
        return [_with_files(each, file_of) for each in records]
    if not isinstance(records, dict):
        return records
    moved = {name: _with_files(value, file_of) for name, value in records.items()}
    if isinstance(records.get("file"), str) and "module" in records:
        moved["file"] = file_of(records["file"])
    return moved


def schema_of_class(cls: type) -> Schema:
    """The schema of a class.

    Raises:
        PayloadError: It is no class of configurations.
    """
    if not issubclass(cls, Config):
        raise payload_error(f"{cls.__name__} is no class of configurations")
    complete(cls, last=True)
    return cls.__xpm_schema__


def payload_error(what: str, remedy: str = "Submit the task again.") -> PayloadError:
    return PayloadError("payload", what, remedy)
