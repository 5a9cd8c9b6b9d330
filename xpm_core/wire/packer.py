"""Write sealed configurations as the bytes of a payload; payload.py says what stands in them.

Owns: what a payload says of each configuration, class and path. How a large graph is divided is in part_packer.py.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from xpm_core.errors import NestingError, PayloadError, SealedError
from xpm_core.job import script_arguments
from xpm_core.language.code.class_records import class_record
from xpm_core.language.graph.state import STATE, is_configuration, state_of
from xpm_core.language.graph.walk import children, reachable
from xpm_core.language.identity.digest import counted_names, digest, task_id
from xpm_core.language.identity.seal import seal
from xpm_core.language.parameters import paths
from xpm_core.language.parameters.paths import Layout
from xpm_core.language.parameters.schema import schema_of
from xpm_core.language.values.data_objects import holds_object, object_classes
from xpm_core.language.values.encoding import CONFIGURATION, PATH, PLAIN_WRITERS, Encoder, extension, packable, refused
from xpm_core.language.values.encoding import pack as packed
from xpm_core.limits import DEEPEST_VALUE, LARGEST_PAYLOAD
from xpm_core.project.import_path import import_path
from xpm_core.project.origin import LOCAL
from xpm_core.wire.form import ABSOLUTE, JOB, VERSION, WITH_PARTS, WORKSPACE
from xpm_core.workspace.payload_parts import Parts


class WireEncoder(Encoder):
    """Writes values that the reader will accept: not nested deeper than `DEEPEST_VALUE`.

    Raises:
        RecursionError: A value is nested deeper.
    """

    depth = 0

    def __call__(self, value: Any) -> bytes:
        if type(value) in PLAIN_WRITERS or isinstance(value, (list, dict)):
            return super().__call__(value)
        if self.depth >= DEEPEST_VALUE:
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
        workspace: The workspace; paths in it are written relative to it.
        own: Paths that are written relative to the job's directory, by `id` of the configuration and parameter.
        parts: The parts that exist already; what they hold is not written again.
        configs: The configurations to write, if they are known. Else all below the root that no part holds.

    Attributes:
        ours: The configuration of the job that is packed. The directory of that job is not written.
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
        """Whether no part holds a configuration."""
        home = config.__dict__[STATE].home
        return home is None or home.parts is not self.parts

    def number(self) -> None:
        """Number the configurations: first those that parts hold, part by part, then the others."""
        self.imports: dict[bytes, dict[int, Any]] = {}
        self.index = {id(config): number for number, config in enumerate(self.configs)}
        if self.parts is None or not self.parts.used:
            return
        for config in self.configs:
            for each in referred(config):
                if id(each) not in self.index:
                    _, part, number = state_of(each).home  # type: ignore[misc]  # it has one, or it would be new
                    self.imports.setdefault(part, {})[number] = each
        if self.imports:
            imported = [each for part in self.imports.values() for each in part.values()]
            self.index = {id(config): number for number, config in enumerate([*imported, *self.configs])}

    def generated_paths(self) -> dict[tuple[int, str], Path]:
        """The generated paths, as they are seen from the root.

        The paths of a submitted task are the same from everywhere. All others can depend on every configuration below
        the root.
        """
        generating = [config for config in self.configs if schema_of(config).generates]
        floating = self.parts is not None and bool(self.parts.floating)
        if not generating and not floating:
            return {}
        enter = None if floating or any(map(self.floats, generating)) else self.new
        return Layout(self.root, paths.JOB, paths.WORKSPACE, enter).paths

    def floats(self, config: Any) -> bool:
        """Whether a configuration with generated paths is neither the root nor a submitted task."""
        return config is not self.root and state_of(config).submitted is None

    @cached_property
    def encode(self) -> WireEncoder:
        """Writes the values that are neither plain nor configurations. Most tasks have none, so it is made late."""
        return WireEncoder(self.reference, path=self.path, class_name=self.class_index, canonical=False)

    @cached_property
    def encode_data(self) -> WireEncoder:
        """Writes the data that local classes use. These hold no configurations, which are read after the classes."""
        return WireEncoder(refused, path=self.path, class_name=self.class_index, canonical=False)

    def data(self, tags: Mapping[str, Any] | None = None) -> bytes:
        """The bytes of the payload, with the tags of the root, or with those that are given."""
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
        """The generated paths of configurations in parts that, seen from the root, differ from what the part says."""
        if self.parts is None or not self.parts.floating:
            return []
        found = []
        below = {id(each) for _, each in reachable(self.root, stand_ins=True)}  # also what only makers use
        for config, written in self.parts.floating:
            home = state_of(config).home
            if home is None or id(config) not in below:
                continue
            names = schema_of(config).parameters
            seen = {name: self.generated(path) for name in names if (path := self.paths.get((id(config), name)))}
            if differ := {name: path for name, path in seen.items() if written.get(name) != path}:
                found.append([home.part, home.number, differ])
        return found

    def submitted(self) -> list[Any]:
        """The submitted tasks among the configurations to write, the inner ones first, without the root."""
        return [config for config in self.configs if config is not self.root and state_of(config).submitted is not None]

    def object(self, config: Any) -> dict[str, Any]:
        """What is written of one configuration: its class, its values, and what else its digest is made of."""
        own, content = state_of(config), config.__dict__
        refuse_changed(config)
        values = {}
        for name in schema_of(config).parameters:
            if self.paths and (path := self.paths.get((id(config), name))) is not None:
                values[name] = self.generated(path)
            elif name in content:  # the stand-in of a deprecated configuration has no generated paths
                value = content[name]
                writer = PLAIN_WRITERS.get(type(value))
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
        if own.ignored:
            found["meta"] = True
        if own.submitted is not None and config is not self.ours:
            found["job"] = self.path(own.submitted.jobpath)
        return found

    def value(self, config: Any, name: str) -> bytes:
        value = config.__dict__[name]
        try:
            return self.reference(value) if is_configuration(value) else self.encode(value)
        except RecursionError:
            wrong = f"its value is nested deeper than {DEEPEST_VALUE} tuples, sets and objects"
            where = f"{type(config).__name__}.{name}"
            raise NestingError(where, wrong, "Flatten it.", state_of(config).created) from None

    def source(self, task: Any) -> dict[str, Any]:
        """What is written of a task that made a configuration: which task it is, and no class.

        The reader may not be able to import the class.
        """
        found = {"digest": bytes.fromhex(seal(task)), "task": task_id(type(task))}
        submitted = state_of(task).submitted
        return found if submitted is None else {**found, "job": self.path(submitted.jobpath)}

    def class_index(self, cls: type) -> int:
        number = self.classes.get(cls)
        if number is None:
            number = self.classes[cls] = len(self.records)
            self.records.append({})
            local = LOCAL in cls.__qualname__
            record = self.records[number] = class_record(cls)
            if local:
                from xpm_core.language.code.local_recorder import Recorder  # late, because few classes are local

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


def referred(config: Any) -> Sequence[Any]:
    """The configurations that one refers to, with its stand-in if it is deprecated."""
    stand_in = config.__dict__[STATE].stand_in
    below = [child for _, child in children(config)]
    return below if stand_in is None else [stand_in, *below]


def within_limit(data: bytes, config: Any) -> bytes:
    """The bytes of a payload, if they are not too many.

    Raises:
        PayloadError: They are more than `LARGEST_PAYLOAD`.
    """
    if len(data) > LARGEST_PAYLOAD:
        wrong = f"its parameters take {len(data)} bytes, {LARGEST_PAYLOAD} are allowed"
        raise PayloadError(type(config).__name__, wrong, "Keep large data in files, and pass their paths.")
    return data


def refuse_changed(config: Any) -> None:
    """Refuse a configuration that holds an object of the user's which changed after the sealing. xpm cannot prevent it.

    Raises:
        SealedError: Such an object has changed.
    """
    if (
        object_classes
        and any(map(holds_object, config.__dict__.values()))
        and digest("", config) != state_of(config).digest
    ):
        name = type(config).__name__
        wrong = "an object that it holds was changed after it was sealed"
        raise SealedError(name, wrong, f"Change a copy: {name.lower()}.copy(...).", state_of(config).created)
