"""Configurations from bytes: the reading half of payloads. What stands in them is told in xpm_core.payload."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import Enum, Flag
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgpack

from xpm_core import objects, script_arguments
from xpm_core.allowing import Allowed
from xpm_core.config.base import Config
from xpm_core.config.declare import complete
from xpm_core.config.objects import object_kind
from xpm_core.digest import NOTHING, default, digest_all, encode
from xpm_core.encoding import Decoder
from xpm_core.errors import MismatchError, PayloadError, TaskImportError, XpmError
from xpm_core.graph import STATE, ConfigState, blank, state, title
from xpm_core.identity import freeze
from xpm_core.import_path import ImportPath, follow
from xpm_core.loading import Classes
from xpm_core.packing import ABSOLUTE, JOB, VERSION, WORKSPACE
from xpm_core.payload_form import LARGEST_PAYLOAD, problem_of
from xpm_core.schema import MISSING, Parameter, Schema, refusal

CHANGED = "Its code has changed since it was submitted: submit it again."

UNREADABLE = (
    LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError, RecursionError, MemoryError,
    XpmError,
)  # fmt: skip
"""What forged data may come to while they are read."""


class Absent(Config):
    """Stands for a task that made a configuration: of it, a payload tells no more than which one it is."""


class Loader:
    """Reads a configuration and all that it refers to.

    Args:
        workspace: Where the workspace is on this machine.
        jobpath: The job's directory on this machine.
        allow: Patterns of the modules that may be imported; empty for all.
    """

    def __init__(self, workspace: Path, jobpath: Path, allow: Sequence[str] = ()) -> None:
        self.workspace, self.jobpath, self.allow = workspace, jobpath, allow
        self.configs: list[Any] = []
        self.decode = Decoder(self.referred, path=self.path, enum=self.enum, made=self.made)
        self.classes = Classes([], self.decode)

    def configuration(self, data: bytes, identity: str) -> tuple[Any, dict[str, Any]]:
        """The sealed configuration that was written, and its tags.

        Raises:
            TaskImportError: A class cannot be imported.
            PayloadError: The data are malformed, or not those of that identity.
        """
        if len(data) > LARGEST_PAYLOAD:
            raise problem(f"it has {len(data)} bytes, {LARGEST_PAYLOAD} are allowed", "Keep large data in files.")
        try:
            return self.read(self.opened(data), identity)
        except (PayloadError, TaskImportError):
            raise
        except UNREADABLE as error:
            raise problem(f"it cannot be read ({type(error).__name__}: {error})") from error

    def opened(self, data: bytes) -> Any:
        """What was written, of a form that is known to be right."""
        content = self.decode(data)
        version = content.get("version") if isinstance(content, dict) else None
        if isinstance(version, int) and version != VERSION:
            raise problem(f"it has version {version!r}, and this release reads {VERSION}", "Use one release.")
        if (wrong := problem_of(content)) is not None:
            raise problem(f"it cannot be read ({wrong})")
        return content

    def read(self, content: Any, identity: str) -> tuple[Any, dict[str, Any]]:
        """The same of what was opened. Nothing is imported before it is known to be allowed."""
        records, path = content["classes"], import_path_in(content)
        if self.allow:
            records, path = Allowed(self.allow).checked(records, path)
        follow(path)
        if "argv" in content:
            sys.argv = script_arguments.unpack(content["argv"], self.workspace)
        self.classes = Classes(records, self.decode)
        for each in content["objects"]:
            self.configs.append(self.restored(each))
        return self.checked(identity), content["tags"]

    def checked(self, identity: str) -> Any:
        """The configuration read last, sealed, if it has that identity."""
        digest_all([(type(config).__name__, config) for config in self.configs])
        root = self.configs[-1]
        if state(root).identity != identity:
            raise problem(f"its identity is {state(root).identity}, not {identity}", CHANGED)
        for config in self.configs:
            check_left_out(config)
            freeze(config)
        return root

    def restored(self, found: dict[str, Any]) -> Any:
        """A configuration with the values that were written, each checked, and with what its digest is made of."""
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
                raise problem(f"{cls.__name__}.{name} has no value", CHANGED)
        own = content[STATE] = ConfigState((f"{cls.__name__} in a payload", 0))
        own.counted = tuple(found["counted"])
        own.init_tasks = tuple(self.configs[index] for index in found.get("init", ()))
        own.stand_in = self.configs[found["stand_in"]] if "stand_in" in found else None
        own.source = self.source(found["source"]) if "source" in found else None
        own.meta = found.get("meta")
        if "job" in found:
            own.submitted = SimpleNamespace(jobpath=self.place(found["job"]))
        return config

    def source(self, found: dict[str, Any]) -> Absent:
        """What stands for a task that made a configuration."""
        absent: Absent = blank(Absent)
        own = absent.__dict__[STATE] = ConfigState((str(found["task"]), 0))
        own.digest, own.sealed = bytes(found["digest"]), True
        if "job" in found:
            own.submitted = SimpleNamespace(jobpath=self.place(found["job"]))
        return absent

    def value(self, cls: type, parameter: Parameter | None, name: str, written: bytes) -> Any:
        value = self.decode(written)
        if parameter is None:
            raise problem(f"{cls.__name__} has no parameter {name!r} any more", CHANGED)
        current = parameter.default
        if parameter.role == "constant" and current is not MISSING and value != current:
            raise problem(f"the constant {cls.__name__}.{name} is now {current!r}, and was {value!r}", CHANGED)
        try:
            return parameter.check(value)
        except MismatchError as error:
            raise problem(str(refusal(f"{cls.__name__}.{name}", error, None)).rstrip("."), CHANGED) from None

    def referred(self, content: bytes) -> Any:
        return self.configs[self.index(msgpack.unpackb(content))]

    def index(self, number: Any) -> int:
        if type(number) is not int or not 0 <= number < len(self.configs):
            raise problem(f"it refers to configuration {number!r}, of {len(self.configs)}")
        return number

    def path(self, content: bytes) -> Path:
        base, path = content[:1], Path(os.fsdecode(content[1:]))
        if base == ABSOLUTE and path.is_absolute():
            return path
        if base in (WORKSPACE, JOB) and not path.is_absolute() and ".." not in path.parts:
            return (self.workspace if base == WORKSPACE else self.jobpath) / path
        raise problem(f"it has a path that leads elsewhere, {str(path)!r}")

    def place(self, written: bytes) -> Path:
        """The directory of another job."""
        found = self.decode(written)
        if not isinstance(found, Path):
            raise problem(f"a job's directory is {found!r}")
        return found

    def enum(self, number: int, member: Any) -> Any:
        cls = self.classes[number]
        if not issubclass(cls, Enum):
            raise problem(f"{cls.__name__} is no Enum")
        return cls(member) if issubclass(cls, Flag) else cls[member]

    def made(self, number: int, fields: dict[str, Any]) -> Any:
        cls = self.classes[number]
        if object_kind(cls) is None:
            raise problem(f"{cls.__name__} is no class of dataclasses, attrs or pydantic")
        try:
            return objects.made(cls, fields)
        except KeyError as error:
            raise problem(f"it has no value for {cls.__name__}.{error.args[0]}", CHANGED) from None
        except Exception as error:  # whatever the user's class raises
            raise problem(f"{cls.__name__} refuses its fields ({type(error).__name__}: {error})", CHANGED) from error


def import_path_in(content: dict[str, Any]) -> ImportPath:
    """Where the script of an opened payload imports from."""
    return ImportPath(content["folders"], content.get("standard", {}))


def check_left_out(config: Any) -> None:
    """Refuse a value that did not count because it was the default, and is not the default."""
    own = state(config)
    for parameter in type(config).__xpm_schema__.counted:
        name = parameter.name
        if parameter.ignore_default and name not in (own.counted or ()) and own.stand_in is None:
            written = encode(config.__dict__[name])
            if written not in (NOTHING, default(parameter)):
                raise problem(f"{title(config)}.{name} is no longer the default, and did not count", CHANGED)


def schema_of_class(cls: type) -> Schema:
    """What a class declares; an error when it is no class of configurations."""
    if not issubclass(cls, Config):
        raise problem(f"{cls.__name__} is no class of configurations")
    complete(cls, last=True)
    return cls.__xpm_schema__


def problem(what: str, remedy: str = "Submit the task again.") -> PayloadError:
    return PayloadError("payload", what, remedy)
