"""What a job is: the one record that a script submits, a worker claims, a directory keeps and a signature covers.

Owns: the facts of a job, their written form, and which of them this version of xpm knows. Processes of jobs do not load
it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from xpm_core.defaults import DEFAULT_BACKOFF_S, DEFAULT_MAX_LOSSES, DEFAULT_MAX_RETRIES
from xpm_core.labels import label, short
from xpm_core.scalars import is_number

SIGNATURE = "signature"
"""The name of the signature in the written options."""

LONGEST_SHOWN = 1000
"""How many characters of a wrong value a message shows."""

_DIGEST = re.compile("[0-9a-f]{64}")

_ALWAYS = ("timeout_s", "env", "resumable", "template")
"""Options that are written even if they have their defaults, because xpm has always written them."""


def _is_seconds(value: Any) -> bool:
    return value is None or (is_number(value, 0) and value > 0)


def _is_environment(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    names = all(isinstance(name, str) and name and "=" not in name and "\0" not in name for name in value)
    return names and all(isinstance(word, str) and "\0" not in word for word in value.values())


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool)


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and (not value or _DIGEST.fullmatch(value) is not None)


def option(is_right: Callable[[Any], bool], expected: str, **default: Any) -> Any:
    """Declare an option: which values a worker accepts, in a function and in words, and its default (see `field`)."""
    return field(metadata={"is_right": is_right, "expected": expected}, **default)


@dataclass(frozen=True)
class JobOptions:
    """How a job is run.

    A new fact of a job is one more field here, with its check and its default. It then reaches the worker, is kept in
    the job's directory, and is signed, without any other change. It is written only if it differs from its default:
    then a worker of an earlier xpm, which does not know it, hands the job back. All workers run all other jobs.

    Args:
        timeout_s: After how many seconds the job is killed; None for never.
        env: Variables that are added to its environment.
        resumable: Whether it continues from what an earlier attempt left in its directory.
        template: Whether its process may be forked from a template, which has imported its modules before.
        snapshot: The snapshot of the project's files that it imports (xpm_core.snapshot), 64 hexadecimal digits; empty
            for the files as they are when it starts.
        provenance: How it came to be submitted (xpm_core.snapshot.provenance), 64 hexadecimal digits; empty if that is
            not known.

    Example:
        >>> JobOptions(timeout_s=60.0).written
        {'timeout_s': 60.0, 'env': {}, 'resumable': False, 'template': True}
    """

    timeout_s: float | None = option(_is_seconds, "a number of seconds above 0", default=None)
    env: Mapping[str, str] = option(_is_environment, "names and values as strings", default_factory=dict)
    resumable: bool = option(_is_truth, "true or false", default=False)
    template: bool = option(_is_truth, "true or false", default=True)
    snapshot: str = option(_is_digest, "64 hexadecimal digits, or nothing", default="")
    provenance: str = option(_is_digest, "64 hexadecimal digits, or nothing", default="")

    @cached_property
    def written(self) -> Mapping[str, Any]:
        """The options as a map, as it is stored and signed. A map that was read stays as it was, to the last detail."""
        return {
            name: value
            for name, each in self.__dataclass_fields__.items()
            if (value := getattr(self, name)) != _default(each) or name in _ALWAYS
        }

    @cached_property
    def unreadable(self) -> str:
        """What was found instead of a map; empty if a map was found."""
        return ""

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> JobOptions:
        """Read a map that somebody has written. Its values may be wrong: `problems` says so.

        Example:
            >>> JobOptions.read({"timeout_s": 60.0, "colour": "red"}).unknown
            ['colour']
        """
        found = cls(**{name: written[name] for name in cls.__dataclass_fields__ if written.get(name) is not None})
        found.__dict__["written"] = dict(written)
        return found

    @classmethod
    def read_nothing(cls, found: str) -> JobOptions:
        """The options of a job for which something else than a map was found."""
        options = cls()
        options.__dict__["unreadable"] = found or "nothing"
        return options

    @property
    def unknown(self) -> list[str]:
        """The names, sorted, of written options that this version of xpm does not know. It must not run the job."""
        return sorted(self.written.keys() - self.__dataclass_fields__.keys())

    def problems(self) -> Iterator[str]:
        """Say of each value that was read and is wrong what it is, and what was expected."""
        if self.unreadable:
            yield f"its options are {self.unreadable[:LONGEST_SHOWN]!r}, expected a map as JSON"
        for name, each in self.__dataclass_fields__.items():
            value = getattr(self, name)
            if not each.metadata["is_right"](value):
                yield f"its option {name} is {repr(value)[:LONGEST_SHOWN]}, expected {each.metadata['expected']}"


def _default(option: Field[Any]) -> Any:
    return option.default if option.default_factory is MISSING else option.default_factory()


class JobSpec(NamedTuple):
    """What decides what a job runs, and where: all of it is signed.

    Facts that decide only when it runs (queue, priority, tokens, dependencies, retries) are not in it.

    Args:
        identity: 64 hexadecimal digits.
        task: The name of its class in identities: `models:Train`.
        name: The short name of that class: `Train`.
        directory: The job's directory, within the workspace: `jobs/models.train/3f9a...`.
        payload: The wire form of the task (xpm_core.wire.payload).
        options: How it is run.
        signature: 64 hexadecimal digits (xpm_core.wire.signing); empty if it is not signed.

    Example:
        >>> spec = JobSpec(identity, "models:Train", "Train", directory, payload, JobOptions(timeout_s=60.0))
        >>> JobSpec.read(*spec.words, spec.payload, spec.written_options()) == spec
        True
    """

    identity: str
    task: str
    name: str
    directory: str
    payload: bytes
    options: JobOptions = JobOptions()
    signature: str = ""

    @classmethod
    def read(
        cls, identity: str, task: str, name: str, directory: str, payload: bytes, options: Mapping[str, Any]
    ) -> JobSpec:
        """Read a job from its written facts; `options` also holds the signature."""
        rest = dict(options)
        signature = rest.pop(SIGNATURE, "")
        return cls(identity, task, name, directory, payload, JobOptions.read(rest), signature)

    @property
    def words(self) -> tuple[str, str, str, str]:
        """Identity, task, name and directory."""
        return self[:4]

    @property
    def label(self) -> str:
        """The job as messages name it: `Train/3f9ac2e`. A name or identity that cannot be one is not shown."""
        name = self.name if self.name.isidentifier() else "job"
        return label(name, "".join(filter(str.isalnum, short(self.identity))))

    def written_options(self) -> dict[str, Any]:
        """The options as they are stored, with the signature if there is one."""
        return {**self.options.written, SIGNATURE: self.signature} if self.signature else dict(self.options.written)


class Retries(NamedTuple):
    """How often a job runs again.

    Args:
        max_retries: How often after its own errors.
        max_losses: How often after its worker was lost.
        backoff_s: How long the first retry waits, seconds; each further one waits twice as long.
    """

    max_retries: int = DEFAULT_MAX_RETRIES
    max_losses: int = DEFAULT_MAX_LOSSES
    backoff_s: float = DEFAULT_BACKOFF_S

    def are_sound(self) -> bool:
        """Whether the values, which somebody has written, can be right."""
        counts = all(type(count) is int and count >= 0 for count in (self.max_retries, self.max_losses))
        return counts and type(self.backoff_s) in (int, float) and 0 <= self.backoff_s < 1e9
