"""`tqdm` and `trange`: loops that report how far they are. They take the same arguments as those of the package tqdm.

In a job, they report progress (progress.py), and draw nothing. Elsewhere, the outermost loop draws a line if stderr is
a terminal. They need no other package.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from time import monotonic
from typing import IO, Any, ClassVar, Generic, TypeVar
from weakref import WeakSet, ref

from xpm_core.job.progress import Reporter, reporter

T = TypeVar("T")

REDRAW_S = 0.1
BAR_WIDTH = 30


class tqdm(Generic[T]):
    """A loop, or any work that is done in steps, that reports how far it is.

    Args:
        iterable: The items to go through; None when `update` is called instead.
        desc: What goes on, in a few words.
        total: How many steps there are; None for the length of the iterable, if it has one.
        ignored: Further arguments of tqdm, which are about drawing.
        disable: Whether to report nothing.
        initial: How many steps were done before.
        postfix: Further values to report, such as a loss, by name.
        more: As `ignored`.

    Example:
        for batch in tqdm(batches, desc="epoch"):
            train(batch)
        with tqdm(total=100) as bar:
            bar.update(10)
    """

    _open: ClassVar[WeakSet[tqdm[Any]]] = WeakSet()

    def __init__(
        self,
        iterable: Iterable[T] | None = None,
        desc: str | None = None,
        total: float | None = None,
        *ignored: Any,
        disable: bool | None = False,
        initial: float = 0,
        postfix: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        self.iterable = iterable
        self.desc = str(desc or "").rstrip(": ")
        self.total = _length(iterable) if total is None else total
        self.n, self.initial = initial, initial
        self.postfix = ""
        self.disable = bool(disable)
        self.pos = len(tqdm._open)
        self._closed = self.disable
        self._reporter: Reporter | None = None if self.disable else reporter()
        self._drawn = 0.0
        if not self.disable:
            tqdm._open.add(self)
        if postfix:
            self.set_postfix(postfix)
        self._level = _LoopLevel(self)
        if self._reporter is not None:
            self._reporter.set(self.pos, self._level)
        self.refresh()

    # -- going on --------------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[T]:
        """Go through the iterable."""
        iterable: Iterable[T] = () if self.iterable is None else self.iterable
        if self.disable:
            yield from iterable
            return
        touch = self._reporter.touch if self._reporter is not None else self.refresh
        try:
            for item in iterable:
                yield item
                self.n += 1
                touch()
        finally:
            self.close()

    def update(self, n: float = 1) -> bool:
        """Report that `n` more steps are done."""
        self.n += n
        self.refresh()
        return not self.disable

    def reset(self, total: float | None = None) -> None:
        """Begin again from the first step, perhaps with another total."""
        self.n = self.initial
        self.total = self.total if total is None else total
        self.refresh()

    def close(self) -> None:
        """End the loop. An inner loop is not reported any more; the outermost one stays as it ended."""
        if self._closed:
            return
        self._closed = True
        tqdm._open.discard(self)
        self._level.last = self.status()
        if self._reporter is not None:
            if self.pos and self._reporter.levels[self.pos : self.pos + 1] == [self._level]:
                del self._reporter.levels[self.pos :]
            self._reporter.touch()
        elif not self.pos and self._drawn:
            self._draw("\n")

    # -- words beside the steps ------------------------------------------------------------------------------------

    def set_description(self, desc: str | None = None, refresh: bool = True) -> None:
        """Set what goes on, in a few words."""
        self.desc = str(desc or "").rstrip(": ")
        self.refresh()

    set_description_str = set_description

    def set_postfix(self, ordered_dict: Mapping[str, Any] | None = None, refresh: bool = True, **values: Any) -> None:
        """Set further values to report, such as a loss."""
        found = {**(ordered_dict or {}), **values}
        self.set_postfix_str(", ".join(f"{name}={_number(value)}" for name, value in found.items()))

    def set_postfix_str(self, text: str = "", refresh: bool = True) -> None:
        """Set a further text to report."""
        self.postfix = str(text)
        self.refresh()

    def status(self) -> tuple[float | None, str]:
        """How far it is, from 0 to 1 (None when unknown), and the same in words: `epoch 8/10 loss=0.3`."""
        steps = f"{_number(self.n)}/{_number(self.total)}" if self.total is not None else _number(self.n)
        fraction = min(max(float(self.n / self.total), 0.0), 1.0) if self.total else None
        return fraction, " ".join(filter(None, [self.desc, steps, self.postfix]))

    def refresh(self, *ignored: Any, **more: Any) -> bool:
        """Report or draw a change, unless the last time was too short ago."""
        if self._reporter is not None:
            self._reporter.touch()
        elif not self.disable and not self.pos and monotonic() - self._drawn >= REDRAW_S:
            self._draw()
        return True

    display = unpause = clear = refresh

    def _draw(self, end: str = "") -> None:
        if sys.stderr is None or not sys.stderr.isatty():
            return
        fraction, text = self.status()
        bar = "#" * round((fraction or 0.0) * BAR_WIDTH)
        share = "" if fraction is None else f"{fraction:4.0%} {bar:-<{BAR_WIDTH}} "
        self._drawn = monotonic()
        sys.stderr.write(f"\r{share}{text}\x1b[K{end}")
        sys.stderr.flush()

    # -- what else the class of tqdm has ---------------------------------------------------------------------------

    def __enter__(self) -> tqdm[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            self.close()

    def __len__(self) -> int:
        return int(self.total or 0)

    def __bool__(self) -> bool:
        return self.total is None or self.total > 0

    @classmethod
    def write(cls, s: str, file: IO[str] | None = None, end: str = "\n", nolock: bool = False) -> None:
        """Print a text, as tqdm does between its bars."""
        print(s, file=file or sys.stdout, end=end)


class _LoopLevel:
    """A loop as a level of the job. Its reference is weak, so that it does not keep an abandoned loop alive."""

    def __init__(self, loop: tqdm[Any]) -> None:
        self._loop = ref(loop)
        self.last: tuple[float | None, str] = (None, "")

    def status(self) -> tuple[float | None, str]:
        """How far the loop is; if it is gone, how far it was."""
        if (loop := self._loop()) is not None:
            self.last = loop.status()
        return self.last


def trange(*arguments: int, **more: Any) -> tqdm[int]:
    """Loop over numbers, and report how far the loop is. It is short for `tqdm(range(*arguments), **more)`.

    Args:
        arguments: As for `range`.
        more: As for `tqdm`.

    Example:
        for epoch in trange(10, desc="epoch"):
            train()
    """
    return tqdm(range(*arguments), **more)


def _length(iterable: Any) -> float | None:
    try:
        return len(iterable)
    except (TypeError, AttributeError):
        return None


def _number(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if value.is_integer() else f"{value:.3g}"
