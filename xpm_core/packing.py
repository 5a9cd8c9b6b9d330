"""Sealed configurations as bytes: the writing half of payloads. What stands in them is told in xpm_core.payload."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from xpm_core import script_arguments
from xpm_core.config import layout
from xpm_core.config.layout import Layout
from xpm_core.digest import counted_names, digest, task_id
from xpm_core.encoding import CONFIGURATION, PATH, PLAIN, Encoder, extension, packable
from xpm_core.encoding import pack as packed
from xpm_core.errors import NestingError, SealedError
from xpm_core.graph import is_configuration, reachable, schema_of, state
from xpm_core.identity import seal
from xpm_core.import_path import import_path
from xpm_core.loading import class_record
from xpm_core.local_classes import Recorder
from xpm_core.made import refused
from xpm_core.objects import held, known
from xpm_core.origin import LOCAL
from xpm_core.payload_form import DEEPEST

VERSION = 1

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
    """

    def __init__(
        self, root: Any, workspace: Path | None = None, own: dict[tuple[int, str], Path] | None = None
    ) -> None:
        self.root, self.workspace = root, workspace
        self.configs = [config for _, config in reachable(root, stand_ins=True)]
        self.index = {id(config): number for number, config in enumerate(self.configs)}
        self.classes: dict[type, int] = {}
        self.records: list[dict[str, Any]] = []
        self.paths: dict[tuple[int, str], Path] = {}
        if any(schema_of(config).generates for config in self.configs):
            self.paths.update(Layout(root, layout.JOB, layout.WORKSPACE).paths)
        self.paths.update(own or {})

    @cached_property
    def encode(self) -> WireEncoder:
        """Writes the values that are neither PLAIN nor configurations: most tasks have none."""
        return WireEncoder(self.reference, path=self.path, class_name=self.class_index, canonical=False)

    @cached_property
    def encode_data(self) -> WireEncoder:
        """Writes data that local classes use: no configurations, which are read after the classes are made."""
        return WireEncoder(refused, path=self.path, class_name=self.class_index, canonical=False)

    def data(self, tags: Mapping[str, Any] | None = None) -> bytes:
        objects = [self.object(config) for config in self.configs]
        path = import_path()
        content: dict[str, Any] = {
            "version": VERSION,
            "task": task_id(type(self.root)),
            "classes": self.records,
            "objects": objects,
            "tags": {name: packable(label) for name, label in (self.root.tags() if tags is None else tags).items()},
            "folders": path.folders,
        }
        if path.standard:
            content["standard"] = path.standard
        content["argv"] = script_arguments.pack(schema_of(self.root).argv, self.workspace)
        return packed(content)

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
        if own.submitted is not None and config is not self.root:
            found["job"] = self.path(Path(own.submitted.jobpath))
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
        return found if submitted is None else {**found, "job": self.path(Path(submitted.jobpath))}

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
        for base, directory in ((JOB, layout.JOB), (WORKSPACE, layout.WORKSPACE)):
            if path.is_relative_to(directory):
                return extension(PATH, base + os.fsencode(path.relative_to(directory)))
        return self.path(path)

    def path(self, path: Path) -> bytes:
        absolute = Path(os.path.abspath(path))
        if self.workspace is not None and absolute.is_relative_to(self.workspace):
            return extension(PATH, WORKSPACE + os.fsencode(absolute.relative_to(self.workspace)))
        return extension(PATH, ABSOLUTE + os.fsencode(absolute))


def refuse_changed(config: Any) -> None:
    """Refuse a configuration that holds an object which was changed after it was sealed: nothing could prevent that.

    Raises:
        SealedError: It was.
    """
    if known and any(map(held, config.__dict__.values())) and digest("", config) != state(config).digest:
        name = type(config).__name__
        wrong = "an object that it holds was changed after it was sealed"
        raise SealedError(name, wrong, f"Change a copy: {name.lower()}.copy(...).", state(config).created)
