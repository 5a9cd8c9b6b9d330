"""`tqdm` and `trange`: loops that tell how far they are. They need no other package, and take what those of tqdm take.

In a job, they report to `job.progress`, and write nothing. Elsewhere, the outermost one draws a line if stderr is
a terminal.
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
WIDTH = 30


class tqdm(Generic[T]):
    """A loop, or anything that is done in steps, that tells how far it is.

    Args:
        iterable: What to go through; None when `update` is called instead.
        desc: What is being done.
        total: How many steps there are, where the iterable does not tell.
        ignored: What else tqdm takes, which is about drawing.
        disable: Whether to tell nothing.
        initial: Steps that were done before.
        postfix: What to tell besides, by name.
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
        self._level = _Level(self)
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
        """So many more steps are done."""
        self.n += n
        self.refresh()
        return not self.disable

    def reset(self, total: float | None = None) -> None:
        """Begin anew."""
        self.n = self.initial
        self.total = self.total if total is None else total
        self.refresh()

    def close(self) -> None:
        """It is over. An inner loop is told no more; the outermost one stands as it ended."""
        if self._closed:
            return
        self._closed = True
        tqdm._open.discard(self)
        self._level.last = self.said()
        if self._reporter is not None:
            if self.pos and self._reporter.levels[self.pos : self.pos + 1] == [self._level]:
                del self._reporter.levels[self.pos :]
            self._reporter.touch()
        elif not self.pos and self._drawn:
            self._draw("\n")

    # -- what is told besides --------------------------------------------------------------------------------------

    def set_description(self, desc: str | None = None, refresh: bool = True) -> None:
        """Say what is being done."""
        self.desc = str(desc or "").rstrip(": ")
        self.refresh()

    set_description_str = set_description

    def set_postfix(self, ordered_dict: Mapping[str, Any] | None = None, refresh: bool = True, **values: Any) -> None:
        """Tell something besides, such as a loss: names and values."""
        found = {**(ordered_dict or {}), **values}
        self.set_postfix_str(", ".join(f"{name}={_number(value)}" for name, value in found.items()))

    def set_postfix_str(self, text: str = "", refresh: bool = True) -> None:
        """Tell something besides."""
        self.postfix = str(text)
        self.refresh()

    def said(self) -> tuple[float | None, str]:
        """How far it is, from 0 to 1 if that is known, and in words: `epoch 8/10 loss=0.3`."""
        steps = f"{_number(self.n)}/{_number(self.total)}" if self.total is not None else _number(self.n)
        fraction = min(max(float(self.n / self.total), 0.0), 1.0) if self.total else None
        return fraction, " ".join(filter(None, [self.desc, steps, self.postfix]))

    def refresh(self, *ignored: Any, **more: Any) -> bool:
        """Something has changed."""
        if self._reporter is not None:
            self._reporter.touch()
        elif not self.disable and not self.pos and monotonic() - self._drawn >= REDRAW_S:
            self._draw()
        return True

    display = unpause = clear = refresh

    def _draw(self, end: str = "") -> None:
        if sys.stderr is None or not sys.stderr.isatty():
            return
        fraction, text = self.said()
        bar = "#" * round((fraction or 0.0) * WIDTH)
        share = "" if fraction is None else f"{fraction:4.0%} {bar:-<{WIDTH}} "
        self._drawn = monotonic()
        sys.stderr.write(f"\r{share}{text}\x1b[K{end}")
        sys.stderr.flush()

    # -- as tqdm has it --------------------------------------------------------------------------------------------

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
        """Print a text."""
        print(s, file=file or sys.stdout, end=end)


class _Level:
    """A loop as it is told of. It keeps no loop alive that its code has forgotten."""

    def __init__(self, loop: tqdm[Any]) -> None:
        self._loop = ref(loop)
        self.last: tuple[float | None, str] = (None, "")

    def said(self) -> tuple[float | None, str]:
        """How far it is; of one that is over, or forgotten, how far it was."""
        if (loop := self._loop()) is not None:
            self.last = loop.said()
        return self.last


def trange(*arguments: int, **more: Any) -> tqdm[int]:
    """`tqdm(range(...))`."""
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
