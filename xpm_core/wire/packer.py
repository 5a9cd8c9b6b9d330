"""Sealed configurations as bytes: the writing half of payloads. What stands in them is told in payload.py."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from xpm_core.errors import NestingError, PayloadError, SealedError
from xpm_core.job import script_arguments
from xpm_core.language.code.local_recorder import Recorder
from xpm_core.language.code.class_records import class_record
from xpm_core.language.graph.state import STATE, Home, is_configuration, state
from xpm_core.language.graph.walk import children, reachable
from xpm_core.language.identity.digest import counted_names, digest, task_id
from xpm_core.language.identity.seal import seal
from xpm_core.language.parameters import paths
from xpm_core.language.parameters.paths import Layout
from xpm_core.language.parameters.schema import schema_of
from xpm_core.language.values.data_objects import held, known
from xpm_core.language.values.encoding import CONFIGURATION, PATH, PLAIN, Encoder, extension, packable, refused
from xpm_core.language.values.encoding import pack as packed
from xpm_core.limits import DEEPEST, LARGEST_PAYLOAD
from xpm_core.project.import_path import import_path
from xpm_core.project.origin import LOCAL
from xpm_core.workspace.payload_parts import Parts

VERSION, WITH_PARTS = 1, 2
"""The forms of payloads: self-contained, and with parts elsewhere. A small graph is written as it always was."""

ABSOLUTE, WORKSPACE, JOB = b"\x00", b"\x01", b"\x02"
"""What a path is relative to: the first byte of its content."""


class WireEncoder(Encoder):
    """Writes values that can be read again, and so are not nested deeper than payload_form.DEEPEST.

    Raises:
        RecursionError: A value is.
    """

    depth = 0

    def __call__(self, value: Any) -> bytes:
        if type(value) in PLAIN or isinstance(value, (list, dict)):
            return super().__call__(value)
        if self.depth >= DEEPEST:
            raise RecursionError
        self.depth += 1
        try:
            return super().__call__(value)
        finally:
            self.depth -= 1


class Packer:
    """Writes a configuration and all that it refers to.

    Args:
        root: The configuration, sealed.
        workspace: The workspace, whose paths become relative to it.
        own: Paths that become relative to the job's directory, by configuration (its `id`) and parameter.
        parts: Where configurations are that need not be written again.
        configs: What to write, if that is known; else all below the root that is in no part.

    Attributes:
        ours: The configuration whose job's directory needs not be told: it is the job that is packed.
    """

    def __init__(
        self,
        root: Any,
        workspace: Path | None = None,
        own: dict[tuple[int, str], Path] | None = None,
        parts: Parts | None = None,
        configs: list[Any] | None = None,
    ) -> None:
        self.root = self.ours = root
        self.parts = parts
        self.base = workspace
        self.workspace = "" if workspace is None else f"{str(workspace).rstrip(os.sep)}{os.sep}"
        enter = self.new if parts is not None and parts.used else None
        self.configs = configs or [config for _, config in reachable(root, enter, stand_ins=True)]
        self.classes: dict[type, int] = {}
        self.records: list[dict[str, Any]] = []
        self.number()
        self.paths = self.generated_paths()
        self.paths.update(own or {})

    def new(self, config: Any) -> bool:
        """Whether a configuration is in none of the parts."""
        home = config.__dict__[STATE].home
        return home is None or home.parts is not self.parts

    def number(self) -> None:
        """Give each configuration its number: first those of parts, by part, and then the others."""
        self.imports: dict[bytes, dict[int, Any]] = {}
        self.index = {id(config): number for number, config in enumerate(self.configs)}
        if self.parts is None or not self.parts.used:
            return
        for config in self.configs:
            for each in referred(config):
                if id(each) not in self.index:
                    _, part, number = state(each).home  # type: ignore[misc]  # it has one, or it would be new
                    self.imports.setdefault(part, {})[number] = each
        if self.imports:
            imported = [each for part in self.imports.values() for each in part.values()]
            self.index = {id(config): number for number, config in enumerate([*imported, *self.configs])}

    def generated_paths(self) -> dict[tuple[int, str], Path]:
        """The generated paths as they are seen from the root. Those of a submitted task are the same from everywhere.

        All others can depend on each configuration below the root.
        """
        generating = [config for config in self.configs if schema_of(config).generates]
        floating = self.parts is not None and bool(self.parts.floating)
        if not generating and not floating:
            return {}
        enter = None if floating or any(map(self.floats, generating)) else self.new
        return Layout(self.root, paths.JOB, paths.WORKSPACE, enter).paths

    def floats(self, config: Any) -> bool:
        """Whether a configuration with generated paths is neither the root nor a submitted task."""
        return config is not self.root and state(config).submitted is None

    @cached_property
    def encode(self) -> WireEncoder:
        """Writes the values that are neither PLAIN nor configurations: most tasks have none."""
        return WireEncoder(self.reference, path=self.path, class_name=self.class_index, canonical=False)

    @cached_property
    def encode_data(self) -> WireEncoder:
        """Writes data that local classes use: no configurations, which are read after the classes are made."""
        return WireEncoder(refused, path=self.path, class_name=self.class_index, canonical=False)

    def data(self, tags: Mapping[str, Any] | None = None) -> bytes:
        found = self.content([self.object(config) for config in self.configs], tags)
        found["argv"] = script_arguments.pack(schema_of(self.root).argv, self.base)
        return packed(found)

    def content(self, objects: list[dict[str, Any]], tags: Mapping[str, Any] | None) -> dict[str, Any]:
        path = import_path()
        found: dict[str, Any] = {
            "version": VERSION,
            "task": task_id(type(self.root)),
            "classes": self.records,
            "objects": objects,
            "tags": {name: packable(label) for name, label in (self.root.tags() if tags is None else tags).items()},
            "folders": path.folders,
        }
        if path.standard:
            found["standard"] = path.standard
        if self.imports:
            found["version"] = WITH_PARTS
            found["imports"] = [[part, list(numbers)] for part, numbers in self.imports.items()]
            if placed := self.placed():
                found["placed"] = placed
        return found

    def placed(self) -> list[list[Any]]:
        """The generated paths of configurations in parts that lie elsewhere than the part says, seen from the root."""
        if self.parts is None or not self.parts.floating:
            return []
        found = []
        below = {id(each) for _, each in reachable(self.root, stand_ins=True)}  # the paths are those of makers, too
        for config, told in self.parts.floating:
            home = state(config).home
            if home is None or id(config) not in below:
                continue
            names = schema_of(config).parameters
            seen = {name: self.generated(path) for name in names if (path := self.paths.get((id(config), name)))}
            if differ := {name: path for name, path in seen.items() if told.get(name) != path}:
                found.append([home.part, home.number, differ])
        return found

    def submitted(self) -> list[Any]:
        """The submitted tasks that are written here, the inner ones first; not the root."""
        return [config for config in self.configs if config is not self.root and state(config).submitted is not None]

    def give_away(self) -> bool:
        """Write a part with all that is below submitted tasks. Returns whether there was any; call it after `data`.

        A class that a function has made is made anew for each part, and would be another one in each: it stays here.
        """
        below: dict[int, Any] = {}
        for task in reversed(self.submitted()):
            if id(task) not in below:
                found = reachable(task, lambda each: id(each) not in below and self.new(each), stand_ins=True)
                below.update((id(each), each) for _, each in found)
        if not below or any("local" in record for record in self.records):
            return False
        PartPacker(self, [config for config in self.configs if id(config) in below]).write()
        return True

    def object(self, config: Any) -> dict[str, Any]:
        """One configuration: its class, its values, and what else its digest is made of."""
        own, content = state(config), config.__dict__
        refuse_changed(config)
        values = {}
        for name in schema_of(config).parameters:
            if self.paths and (path := self.paths.get((id(config), name))) is not None:
                values[name] = self.generated(path)
            elif name in content:  # a configuration that only stands in for another has no generated paths
                value = content[name]
                writer = PLAIN.get(type(value))
                values[name] = self.value(config, name) if writer is None else writer(value)
        found: dict[str, Any] = {
            "class": self.class_index(type(config)),
            "values": values,
            "counted": counted_names(config),
        }
        if own.source is not None:
            found["source"] = self.source(own.source)
        if own.init_tasks:
            found["init"] = [self.index[id(each)] for each in own.init_tasks]
        if own.stand_in is not None:
            found["stand_in"] = self.index[id(own.stand_in)]
        if own.meta:
            found["meta"] = True
        if own.submitted is not None and config is not self.ours:
            found["job"] = self.path(own.submitted.jobpath)
        return found

    def value(self, config: Any, name: str) -> bytes:
        value = config.__dict__[name]
        try:
            return self.reference(value) if is_configuration(value) else self.encode(value)
        except RecursionError:
            wrong = f"its value is nested deeper than {DEEPEST} tuples, sets and objects"
            where = f"{type(config).__name__}.{name}"
            raise NestingError(where, wrong, "Flatten it.", state(config).created) from None

    def source(self, task: Any) -> dict[str, Any]:
        """A task that made a configuration: only what tells which one it is, for its class may not be at hand there."""
        found = {"digest": bytes.fromhex(seal(task)), "task": task_id(type(task))}
        submitted = state(task).submitted
        return found if submitted is None else {**found, "job": self.path(submitted.jobpath)}

    def class_index(self, cls: type) -> int:
        number = self.classes.get(cls)
        if number is None:
            number = self.classes[cls] = len(self.records)
            self.records.append({})
            local = LOCAL in cls.__qualname__
            record = self.records[number] = class_record(cls)
            if local:
                record["local"] = Recorder(self.class_index, self.encode_data).record(cls)
            schema = getattr(cls, "__xpm_schema__", None)
            if schema is not None and schema.value_class is not cls:
                value_number = self.class_index(schema.value_class)
                if local:
                    record["value"] = value_number
        return number

    def reference(self, config: Any) -> bytes:
        return extension(CONFIGURATION, packed(self.index[id(config)]))

    def generated(self, path: Path) -> bytes:
        for base, directory in ((JOB, paths.JOB), (WORKSPACE, paths.WORKSPACE)):
            if path.is_relative_to(directory):
                return extension(PATH, base + os.fsencode(path.relative_to(directory)))
        return self.path(path)

    def path(self, path: str | os.PathLike[str]) -> bytes:
        absolute = os.path.abspath(path)
        if self.workspace and f"{absolute}{os.sep}".startswith(self.workspace):
            return extension(PATH, WORKSPACE + os.fsencode(absolute[len(self.workspace) :] or "."))
        return extension(PATH, ABSOLUTE + os.fsencode(absolute))


class PartPacker(Packer):
    """Writes a part of a payload.

    Args:
        whole: Has written the payload.
        configs: What is to be in the part: with each configuration all that it refers to, and that is in no part yet.
    """

    def __init__(self, whole: Packer, configs: list[Any]) -> None:
        self.whole = whole
        super().__init__(configs[-1], parts=whole.parts, configs=configs)
        self.ours, self.workspace = None, whole.workspace

    def generated_paths(self) -> dict[tuple[int, str], Path]:
        """Those that lie in no directory of the job that is packed."""
        return {key: path for key, path in self.whole.paths.items() if not path.is_relative_to(paths.JOB)}

    def placed(self) -> list[list[Any]]:
        """None: only the payload knows from where they are seen."""
        return []

    def write(self) -> None:
        """Write the part, and note of each configuration that it is there."""
        assert self.parts is not None, "who gives something away has where to put it"
        objects = [{**self.object(each), "below": self.below(each)} for each in self.configs]
        digest = self.parts.put(checked(packed(self.content(objects, {})), self.root))
        for config, found in zip(self.configs, objects, strict=True):
            state(config).home = Home(self.parts, digest, self.index[id(config)])
            if schema_of(config).generates and state(config).submitted is None:
                generated = {n: path for n, path in found["values"].items() if (id(config), n) in self.paths}
                self.parts.floating.append((config, generated))

    def below(self, config: Any) -> list[int]:
        return sorted({self.index[id(each)] for each in referred(config)})


def referred(config: Any) -> Sequence[Any]:
    """What a configuration refers to, that which stands in for it included."""
    stand_in = config.__dict__[STATE].stand_in
    below = [child for _, child in children(config)]
    return below if stand_in is None else [stand_in, *below]


def checked(data: bytes, config: Any) -> bytes:
    """What was written, if it is not too large.

    Raises:
        PayloadError: It is.
    """
    if len(data) > LARGEST_PAYLOAD:
        wrong = f"its parameters take {len(data)} bytes, {LARGEST_PAYLOAD} are allowed"
        raise PayloadError(type(config).__name__, wrong, "Keep large data in files, and pass their paths.")
    return data


def refuse_changed(config: Any) -> None:
    """Refuse a configuration that holds an object which was changed after it was sealed: nothing could prevent that.

    Raises:
        SealedError: It was.
    """
    if known and any(map(held, config.__dict__.values())) and digest("", config) != state(config).digest:
        name = type(config).__name__
        wrong = "an object that it holds was changed after it was sealed"
        raise SealedError(name, wrong, f"Change a copy: {name.lower()}.copy(...).", state(config).created)
