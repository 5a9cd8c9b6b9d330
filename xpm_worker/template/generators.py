"""Generators of random numbers that installed packages made while a template imported them.

All jobs that are forked from the template have them, and would draw the same numbers. One that nobody gave a seed would
have been another in each process: it is made fresh in each job. One that its package gave a seed stays as it is.

A generator does not always tell where its seed came from, so calls that give or take one are noted while the template
imports. NumPy's generators name their seed, and the collector finds them wherever they hang; what is noted is which
seeds NumPy drew itself. What a library in C holds without such calls cannot be seen.
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
    """What a module calls the functions of the one generator that it has for everybody.

    One of `seeds` gives it a seed if it is called with one. `fresh` is called in each job.
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


class Notes:
    """What is noted while packages are imported.

    Attributes:
        drawn: Seeds that NumPy drew.
        given: Whether a generator has a state that somebody gave, by its `id`, or the name of its module.
        instances: The generators of class `random.Random`, by `id`.
    """

    def __init__(self) -> None:
        self.on = True
        self.drawn: set[int] = set()
        self.given: dict[object, bool] = {}
        self.instances: dict[int, weakref.ref[random.Random]] = {}
        self._own: list[object] = []

    def end(self) -> None:
        """Note nothing more: packages may have kept what notes."""
        self.on = False
        self._own.clear()

    def seed(self, key: object, given: bool) -> None:
        """A generator was given a seed, or has drawn one."""
        if self.on:
            self.given[key] = given

    def save(self, key: object, state: object) -> None:
        """The state of a generator was asked for: whoever restores it gives no seed, if nobody had."""
        if self.on and not self.given.get(key):
            self._own.append(state)

    def restore(self, key: object, state: object) -> None:
        """A generator was given a state."""
        if self.on:
            self.given[key] = not any(each is state for each in self._own)

    def draw(self, drawn: int) -> int:
        """Note what was drawn as a seed."""
        if self.on:
            self.drawn.add(drawn)
        return drawn


@contextlib.contextmanager
def noting() -> Iterator[Notes]:
    """Note what happens to generators, for so long."""
    notes = Notes()
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


def _watch_instances(notes: Notes) -> None:
    """Have the methods of `random.Random` noted, and the functions of its module, which are those of one instance."""
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
    """The generator whose methods the functions of `random` are. After a fork, Python gives it a new seed."""
    return random._inst


class _Finder:
    """Has the functions of MODULES noted as soon as such a module was imported."""

    def __init__(self, notes: Notes) -> None:
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
                with contextlib.suppress(AttributeError):  # a release that calls them otherwise
                    _watch_module(self._notes, name, module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _watch_module(notes: Notes, name: str, module: Any) -> None:
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


def fresh(notes: Notes) -> list[Call]:
    """What is to be called in each job. To be asked before `gc.freeze`, after which the collector shows nothing."""
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


def _fresh_numpy(notes: Notes) -> Iterator[Call]:
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


def _drew(notes: Notes, bits: Any) -> bool:
    """Whether NumPy drew the seed of a generator or of a sequence of seeds.

    A generator that was given a seed in the old way has no such sequence; before NumPy 1.25 it stands in `_seed_seq`.
    """
    sequence = getattr(bits, "seed_seq", getattr(bits, "_seed_seq", bits))
    entropy = getattr(sequence, "entropy", None)
    return isinstance(entropy, int) and entropy in notes.drawn


def _renew(generator: Any) -> None:
    generator.state = type(generator)().state


def _forget_normal(state: Any) -> None:
    """A RandomState draws normal numbers in pairs, and keeps the second one."""
    state.set_state({**state.get_state(legacy=False), "has_gauss": 0, "gauss": 0.0})
