"""Generators of random numbers that installed packages made while a template imported them.

All jobs that are forked from the template inherit these generators, and would draw the same numbers. Without templates,
a generator that got no seed from its package would differ in each process. So such a generator gets a fresh seed in
each job. A generator that got a seed from its package keeps it.

A generator does not always show where its seed came from. So calls that seed a generator, or save or restore its state,
are noted while the template imports. NumPy's generators show their seed, and the garbage collector finds all of them;
for NumPy, the seeds that it drew itself are noted. A generator inside a C library that is used without such calls
cannot be seen.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import random
import secrets
import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from typing import Any, NamedTuple

Call = Callable[[], object]


class Functions(NamedTuple):
    """Names of the functions by which a module gives access to its one global generator.

    Attributes:
        seeds: Functions that seed the generator with their argument, if they get one.
        save: The function that returns the generator's state.
        restore: The function that sets the state.
        fresh: The function that draws a fresh seed; it is called in each job.
    """

    seeds: tuple[str, ...]
    save: str
    restore: str
    fresh: str


NUMPY = "numpy.random.mtrand"
MODULES = {
    NUMPY: Functions(("seed",), "get_state", "set_state", "seed"),
    "torch.random": Functions(("manual_seed", "seed"), "get_rng_state", "set_rng_state", "seed"),
}
_METHODS = ("seed", "getstate", "setstate")


class SeedNotes:
    """What is noted about seeds while packages are imported.

    Attributes:
        drawn: Seeds that NumPy drew itself.
        given: Whether a package gave a generator its state. The key is the generator's `id`, or its module's name.
        instances: The generators of class `random.Random`, by `id`.
    """

    def __init__(self) -> None:
        self.on = True
        self.drawn: set[int] = set()
        self.given: dict[object, bool] = {}
        self.instances: dict[int, weakref.ref[random.Random]] = {}
        self._own: list[object] = []

    def end(self) -> None:
        """Note nothing more. Packages may have kept the functions that note, so these must do nothing from now on."""
        self.on = False
        self._own.clear()

    def seed(self, key: object, given: bool) -> None:
        """Note that a generator was seeded.

        Args:
            key: The generator's `id`, or its module's name; the same in the methods below.
            given: Whether it got the seed as an argument. Otherwise it drew one itself.
        """
        if self.on:
            self.given[key] = given

    def save(self, key: object, state: object) -> None:
        """Note that the state of a generator was saved. If it had no given seed, restoring this state gives none."""
        if self.on and not self.given.get(key):
            self._own.append(state)

    def restore(self, key: object, state: object) -> None:
        """Note that the state of a generator was set."""
        if self.on:
            self.given[key] = not any(each is state for each in self._own)

    def draw(self, drawn: int) -> int:
        """Note that NumPy drew a seed, and return the seed."""
        if self.on:
            self.drawn.add(drawn)
        return drawn


@contextlib.contextmanager
def noting_seeds() -> Iterator[SeedNotes]:
    """Note what happens to generators inside the `with` block.

    Example:
        >>> with noting_seeds() as notes:
        ...     import numpy
        >>> renew = fresh(notes)
    """
    notes = SeedNotes()
    methods = {name: getattr(random.Random, name) for name in _METHODS}
    functions = {name: getattr(random, name) for name in _METHODS}
    randbits, finder = secrets.randbits, _Finder(notes)
    _watch_instances(notes)
    secrets.randbits = lambda k: notes.draw(randbits(k))
    sys.meta_path.insert(0, finder)
    try:
        yield notes
    finally:
        notes.end()
        with contextlib.suppress(ValueError):  # a package has taken it away
            sys.meta_path.remove(finder)
        secrets.randbits = randbits
        for name in _METHODS:
            setattr(random.Random, name, methods[name])
            setattr(random, name, functions[name])


def _watch_instances(notes: SeedNotes) -> None:
    """Note calls of the methods of `random.Random` and of the functions of `random`, which belong to one instance."""
    cls: Any = random.Random
    seed, getstate, setstate = cls.seed, cls.getstate, cls.setstate

    @functools.wraps(seed)
    def noted_seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        seed(self, a, version)
        notes.instances[id(self)] = weakref.ref(self)
        notes.seed(id(self), a is not None)

    @functools.wraps(getstate)
    def noted_getstate(self: random.Random) -> Any:
        state = getstate(self)
        notes.save(id(self), state)
        return state

    @functools.wraps(setstate)
    def noted_setstate(self: random.Random, state: Any) -> None:
        setstate(self, state)
        notes.restore(id(self), state)

    cls.seed, cls.getstate, cls.setstate = noted_seed, noted_getstate, noted_setstate
    for name in _METHODS:
        setattr(random, name, getattr(_shared(), name))


def _shared() -> random.Random:
    """The instance whose methods are the functions of `random`. After a fork, Python gives it a new seed."""
    return random._inst


class _Finder:
    """Notes calls of the functions of MODULES, as soon as such a module is imported."""

    def __init__(self, notes: SeedNotes) -> None:
        self._notes = notes

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if name not in MODULES:
            return None
        finders = [each for each in sys.meta_path if each is not self and hasattr(each, "find_spec")]
        found = (each.find_spec(name, path, target) for each in finders)
        spec = next((each for each in found if each is not None), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                with contextlib.suppress(AttributeError):  # a release in which the functions have other names
                    _watch_module(self._notes, name, module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _watch_module(notes: SeedNotes, name: str, module: Any) -> None:
    functions = MODULES[name]

    def watched(function: Callable[..., Any], note: Callable[[Any, tuple[Any, ...]], None]) -> Callable[..., Any]:
        @functools.wraps(function)
        def noted(*args: Any, **more: Any) -> Any:
            found = function(*args, **more)
            note(found, (*args, *more.values()))
            return found

        return noted

    def seeded(_: Any, args: tuple[Any, ...]) -> None:
        notes.seed(name, any(each is not None for each in args))

    for each in functions.seeds:
        setattr(module, each, watched(getattr(module, each), seeded))
    saved = watched(getattr(module, functions.save), lambda state, _: notes.save(name, state))
    restored = watched(getattr(module, functions.restore), lambda _, args: notes.restore(name, args[0]))
    setattr(module, functions.save, saved)
    setattr(module, functions.restore, restored)


def fresh(notes: SeedNotes) -> list[Call]:
    """Return the functions to call in each job.

    Call this before `gc.freeze`, after which the garbage collector shows no objects.

    Args:
        notes: What was noted during the imports.
    """
    shared = _shared()
    calls: list[Call] = [functools.partial(shared.setstate, shared.getstate())] if notes.given.get(id(shared)) else []
    for number, reference in notes.instances.items():
        instance = reference()
        if instance is not None and instance is not shared and not notes.given[number]:
            calls.append(instance.seed)
    for name, functions in MODULES.items():
        if name in sys.modules and not notes.given.get(name):
            calls.append(getattr(sys.modules[name], functions.fresh))
    return [*calls, *_fresh_numpy(notes)]


def _fresh_numpy(notes: SeedNotes) -> Iterator[Call]:
    numpy: Any = sys.modules.get("numpy.random")
    if numpy is None:
        return
    kinds = (numpy.SeedSequence, numpy.BitGenerator, numpy.RandomState)
    objects = gc.get_objects()
    wanted = {cls for cls in set(map(type, objects)) if issubclass(cls, kinds)}
    found = [each for each in objects if type(each) in wanted]
    shared = numpy.mtrand._rand._bit_generator
    for each in found:
        bits = getattr(each, "_bit_generator", each)
        if bits is shared or not _drew(notes, bits):
            continue
        if isinstance(each, numpy.SeedSequence):
            yield functools.partial(each.__init__, pool_size=each.pool_size)
        else:
            yield functools.partial(_renew if each is bits else _forget_normal, each)


def _drew(notes: SeedNotes, bits: Any) -> bool:
    """Whether NumPy itself drew the seed of a bit generator or of a seed sequence.

    A generator that was seeded by the old functions has no seed sequence. Before NumPy 1.25, `_seed_seq` holds it.
    """
    sequence = getattr(bits, "seed_seq", getattr(bits, "_seed_seq", bits))
    entropy = getattr(sequence, "entropy", None)
    return isinstance(entropy, int) and entropy in notes.drawn


def _renew(generator: Any) -> None:
    generator.state = type(generator)().state


def _forget_normal(state: Any) -> None:
    """Drop a kept number: a RandomState draws normal numbers in pairs, and keeps the second one for the next call."""
    state.set_state({**state.get_state(legacy=False), "has_gauss": 0, "gauss": 0.0})
