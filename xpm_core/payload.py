"""The wire form of a sealed task: msgpack, self-contained, and the way back to live objects.

It holds the configurations that the task refers to, each once, the inner ones first; where their classes are; and the
tags. Values are written as in identities (xpm_core.encoding), entries of dicts in their own order. Paths in the
workspace are relative to it, generated ones to the job's directory. What is read is bound to an identity: its digest is
computed anew, so that nothing that counts can have been changed. Imports no client of a server and no display.
"""

from __future__ import annotations

import os
from enum import Enum, Flag
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgpack

from xpm_core.config.base import Config, Task
from xpm_core.config.live import OWN, generated, live
from xpm_core.config.meta import complete
from xpm_core.describing import describe
from xpm_core.encoding import CONFIGURATION, PATH, Decoder, Encoder, extension
from xpm_core.encoding import pack as packed
from xpm_core.errors import MismatchError, PayloadError, TaskImportError
from xpm_core.graph import STATE, ConfigState, blank, reachable, schema_of, state
from xpm_core.identity import counted_names, digest_all, freeze, seal, task_id
from xpm_core.loading import add_import_folders, class_record, find_class, import_folders
from xpm_core.schema import MISSING, Parameter, Schema, refusal

__all__ = ["describe", "execute", "load", "pack"]

VERSION = 1

ABSOLUTE, WORKSPACE, JOB = b"\x00", b"\x01", b"\x02"
"""What a path is relative to: the first byte of its content."""

INIT_TASKS = "__xpm_init_tasks__"
"""Where a live task keeps its initial tasks, in its `__dict__`."""


def pack(task: Task, workspace: Path | None = None) -> bytes:
    """The wire form of a task; it is sealed, if it is not yet.

    Args:
        task: The task.
        workspace: The workspace, whose paths become relative to it.

    Raises:
        ClassNameError: A class has no file that another process could import.
        MissingParameterError: A parameter has no value.
    """
    seal(task)
    return Packer(task, workspace).data()


class Packer:
    """Writes one task."""

    def __init__(self, task: Task, workspace: Path | None) -> None:
        self.task, self.workspace = task, workspace
        self.configs = [config for _, config in reachable(task)]
        self.index = {id(config): number for number, config in enumerate(self.configs)}
        self.classes: dict[type, int] = {}
        self.records: list[dict[str, Any]] = []
        self.paths = generated(task, OWN)
        self.encode = Encoder(self.reference, path=self.path, class_name=self.class_index, canonical=False)

    def data(self) -> bytes:
        objects = [self.object(config) for config in self.configs]
        content = {
            "version": VERSION,
            "task": task_id(type(self.task)),
            "classes": self.records,
            "objects": objects,
            "tags": self.task.tags(),
            "folders": import_folders(),
        }
        return packed(content)

    def object(self, config: Any) -> dict[str, Any]:
        """One configuration: its class, its values, and what else its digest is made of."""
        own = state(config)
        values = {}
        for name in schema_of(config).parameters:
            path = self.paths.get((id(config), name))
            values[name] = self.encode(config.__dict__[name]) if path is None else self.path(path)
        found: dict[str, Any] = {
            "class": self.class_index(type(config)),
            "values": values,
            "counted": counted_names(config),
        }
        if own.source is not None:
            found["source"] = bytes.fromhex(seal(own.source))
        if own.init_tasks:
            found["init"] = [self.index[id(each)] for each in own.init_tasks]
        if own.stand_in is not None:
            found["stand_in"] = self.index[id(own.stand_in)]
        if own.meta:
            found["meta"] = True
        if own.submitted is not None and config is not self.task:
            found["job"] = self.path(Path(own.submitted.jobpath))
        return found

    def class_index(self, cls: type) -> int:
        number = self.classes.get(cls)
        if number is None:
            number = self.classes[cls] = len(self.records)
            self.records.append({})
            self.records[number] = class_record(cls)
            value_class = getattr(cls, "__xpm_schema__", None) and cls.__xpm_schema__.value_class  # type: ignore[attr-defined]
            if value_class is not None and value_class is not cls:
                self.class_index(value_class)
        return number

    def reference(self, config: Any) -> bytes:
        return extension(CONFIGURATION, packed(self.index[id(config)]))

    def path(self, path: Path) -> bytes:
        if not path.is_absolute() and path.parts[:1] == OWN.parts and path in self.paths.values():
            return extension(PATH, JOB + os.fsencode(path.relative_to(OWN)))
        absolute = Path(os.path.abspath(path))
        if self.workspace is not None and absolute.is_relative_to(self.workspace):
            return extension(PATH, WORKSPACE + os.fsencode(absolute.relative_to(self.workspace)))
        return extension(PATH, ABSOLUTE + os.fsencode(absolute))


def load(data: bytes, *, workspace: Path, identity: str, jobpath: Path) -> Task:
    """The live task of a wire form, ready for `execute`, with `__taskdir__` and `__tags__`.

    The folders that its classes were imported from are added to `sys.path`.

    Args:
        data: What `pack` made.
        workspace: Where the workspace is on this machine.
        identity: What the task has to be, as 64 hexadecimal characters.
        jobpath: The job's directory on this machine.

    Raises:
        TaskImportError: A class cannot be imported; names module and reason.
        PayloadError: The data are malformed, or not those of that identity.
    """
    return Loader(workspace, jobpath).task(data, identity)


class Loader:
    """Reads one task."""

    def __init__(self, workspace: Path, jobpath: Path) -> None:
        self.workspace, self.jobpath = workspace, jobpath
        self.classes: list[type] = []
        self.configs: list[Any] = []
        self.decode = Decoder(self.configuration, path=self.path, enum=self.enum)

    def task(self, data: bytes, identity: str) -> Task:
        content = self.decode(data)
        try:
            if content["version"] != VERSION:
                version = content["version"]
                raise problem(f"it has version {version!r}, and this worker reads {VERSION}", "Use one release.")
            add_import_folders(list(map(str, content["folders"])))
            self.classes = [find_class(record) for record in content["classes"]]
            for each in content["objects"]:
                self.configs.append(self.restored(each))
            tags = dict(content["tags"])
        except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
            if isinstance(error, (PayloadError, TaskImportError)):
                raise
            raise problem(f"it cannot be read ({type(error).__name__}: {error})") from error
        return self.live(identity, tags)

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
        own = content[STATE] = ConfigState((f"{cls.__name__} in a payload", 0))
        own.counted = tuple(found["counted"])
        own.init_tasks = tuple(self.configs[index] for index in found.get("init", ()))
        own.stand_in = self.configs[found["stand_in"]] if "stand_in" in found else None
        own.source = digest_only(found["source"]) if "source" in found else None
        own.meta = found.get("meta")
        if "job" in found:
            own.submitted = SimpleNamespace(jobpath=self.decode(found["job"]))
        return config

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

    def configuration(self, content: bytes) -> Any:
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

    def enum(self, number: int, member: Any) -> Any:
        cls = self.classes[number]
        if not issubclass(cls, Enum):
            raise problem(f"{cls.__name__} is no Enum")
        return cls(member) if issubclass(cls, Flag) else cls[member]

    def live(self, identity: str, tags: dict[str, Any]) -> Task:
        """The live task of the configurations read, the last of which is the task."""
        if not self.configs or not isinstance(self.configs[-1], Task):
            raise problem("it holds no task")
        digest_all([(type(config).__name__, config) for config in self.configs])
        root = self.configs[-1]
        if state(root).identity != identity:
            raise problem(f"its identity is {state(root).identity}, not {identity}", CHANGED)
        for config in self.configs:
            freeze(config)

        def made(config: Any, found: Any) -> None:
            if isinstance(config, Task):
                own = state(config).submitted
                found.__dict__["__taskdir__"] = self.jobpath if config is root else own and Path(own.jobpath)
            if config is root:
                found.__dict__["__tags__"] = tags
            objects[id(config)] = found

        objects: dict[int, Any] = {}
        task = live(root, self.jobpath, made)
        task.__dict__[INIT_TASKS] = [objects[id(each)] for each in state(root).init_tasks]
        return task


def schema_of_class(cls: type) -> Schema:
    """What a class declares; an error when it is no class of configurations."""
    if not issubclass(cls, Config):
        raise problem(f"{cls.__name__} is no class of configurations")
    complete(cls, last=True)
    return cls.__xpm_schema__


def digest_only(digest: bytes) -> Any:
    """Stands for a configuration of which nothing but its digest is known."""
    stub = SimpleNamespace()
    own = stub.__dict__[STATE] = ConfigState(("", 0))
    own.digest = digest
    return stub


CHANGED = "Its code has changed since it was submitted: submit it again."


def problem(what: str, remedy: str = "Submit the task again.") -> PayloadError:
    return PayloadError("payload", what, remedy)


def execute(task: Task) -> Any:
    """Run a task that `load` returned: its initial tasks in order, then its own `execute`."""
    for each in task.__dict__.get(INIT_TASKS, ()):
        each.execute()
    return task.execute()
