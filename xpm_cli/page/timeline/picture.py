"""The picture of a timeline: lanes, blocks, gaps, marks of what went wrong, and an axis of time.

Each shape has a title, which says in words what its colour means. A picture has a bounded number of shapes, however
many executions there are.

Owns: sizes and places. What a lane is, `lanes` says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from xpm_cli.page.svg import Drawn, element, link, title, together
from xpm_cli.page.timeline.lanes import Block, Execution, How, Lane, Window, blocks, gaps
from xpm_core.labels import bare_class, short
from xpm_core.words.text import plural, span

LABELS, LENGTH, RIGHT = 170.0, 1000.0, 30.0
"""How wide the names of the workers are, how long a lane is, and what is left free beside it."""
TOP, LANE, HEIGHT = 26.0, 24.0, 16.0
"""How high the axis is, how far two lanes are apart, and how high a block is."""
LEAST = 3.0
"""How long an execution must be to be drawn alone."""
SHAPES = 1500
"""About how many executions and blocks a picture has at most."""
NAMED = 14.0
"""How long a block must be to have a sign in it."""
LONGEST_NAME = 26
"""Characters of a worker's name. The end of a longer one is shown: it has the number of the slot."""
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
         172800, 604800, 2592000, 7776000, 31536000, 315360000)  # fmt: skip
"""What may lie between two marks of the axis, seconds."""
TICKS = 8
"""How many marks the axis has at most."""

_SIGNS = {How.LOST: "!", How.FAILED: "✗", How.RETRIED: "✗", How.CANCELLED: "⊘", How.RELEASED: "↩", How.UNKNOWN: "?"}


@dataclass(frozen=True)
class Look:
    """How a timeline is looked at.

    Attributes:
        window: The part of time that is seen.
        job_url: The URL of a job.
        zoom_url: The URL of a part of time of one worker.
        titles: Jobs as people know them, by identity.
        chosen: Whether an execution is of a job that the filter wants.
    """

    window: Window
    job_url: Callable[[str], str]
    zoom_url: Callable[[Window, str], str]
    titles: Mapping[str, str]
    chosen: Callable[[Execution], bool]

    def x(self, time_s: float) -> float:
        """Where a time is, cut to what is seen."""
        within_s = min(max(time_s, self.window.from_s), self.window.to_s) - self.window.from_s
        return LABELS + LENGTH * within_s / self.window.span_s


def least_s(window: Window, lanes: int) -> float:
    """How long an execution must be to be drawn alone, if so many lanes are drawn."""
    return window.span_s * max(LEAST, LENGTH * 2 * lanes / SHAPES) / LENGTH


def seen(lanes: Sequence[Lane], window: Window) -> list[str]:
    """The identities of the jobs that are drawn by themselves."""
    least = least_s(window, len(lanes))
    drawn = (block for lane in lanes for block in blocks(lane, window, least))
    return list(dict.fromkeys(block.only.job for block in drawn if block.only is not None))


def picture(lanes: Sequence[Lane], look: Look) -> Drawn:
    """The picture.

    Args:
        lanes: The lanes, from top to bottom.
        look: How they are looked at.
    """
    height = TOP + LANE * len(lanes) + 4
    least = least_s(look.window, len(lanes))
    rows = [_lane(lane, TOP + LANE * number, look, least) for number, lane in enumerate(lanes)]
    return element(
        "svg",
        together(*_axis(look, height)),
        together(*rows),
        class_="timeline",
        viewBox=f"0 0 {LABELS + LENGTH + RIGHT:g} {height:g}",
        role="group",
        aria_label=f"What {plural(len(lanes), 'worker')} ran; the table below says the same",
        data_from=f"{look.window.from_s:.3f}",
        data_to=f"{look.window.to_s:.3f}",
    )


def _lane(lane: Lane, y: float, look: Look, least: float) -> Drawn:
    name = lane.worker if len(lane.worker) <= LONGEST_NAME else "…" + lane.worker[1 - LONGEST_NAME :]
    label = element("text", title(f"{lane.worker} on {lane.host or 'an unknown machine'}"), name, x=0.0, y=y + 13)
    parts = [link(look.zoom_url(look.window, lane.worker), label, class_="lane-name")]
    from_x, to_x = look.x(lane.from_s), look.x(lane.to_s)
    parts.append(element("rect", class_="there", x=from_x, y=y, width=max(to_x - from_x, 0.0), height=HEIGHT))
    wide_s = 3 * least
    parts += [_gap(gap, y, look) for gap in gaps(lane, look.window) if gap.span_s >= wide_s]
    for block in blocks(lane, look.window, least):
        parts.append(_block(block, lane, y, look))
    return element("g", together(*parts))


def _gap(gap: Window, y: float, look: Look) -> Drawn:
    from_x, to_x = look.x(gap.from_s), look.x(gap.to_s)
    text = title(f"idle for {span(gap.span_s)}, {_between(gap.from_s, gap.to_s, look.window)}")
    return element("rect", text, class_="gap", x=from_x, y=y, width=to_x - from_x, height=HEIGHT)


def _block(block: Block, lane: Lane, y: float, look: Look) -> Drawn:
    from_x, to_x = look.x(block.from_s), look.x(block.to_s)
    width = max(to_x - from_x, 1.0)
    high = HEIGHT if block.only is not None else max(HEIGHT * block.share, LEAST)
    top = y + HEIGHT - high
    body = element("rect", title(_said(block, look)), x=from_x, y=top, width=width, height=high)
    marks = _marks(block, from_x, width, y, high)
    if block.only is not None:
        other = "" if look.chosen(block.only) else " other"
        return link(look.job_url(block.only.job), body, *marks, class_=block.usual.word + other)
    margin_s = (block.to_s - block.from_s) / 10
    window = Window(block.from_s - margin_s, max(block.to_s + margin_s, block.from_s + 0.001))
    return link(look.zoom_url(window, lane.worker), body, *marks, class_=f"{block.usual.word} many")


def _marks(block: Block, x: float, width: float, y: float, high: float) -> Iterator[Drawn]:
    """Signs for what no colour alone may say: lost leases, failures, and further attempts.

    Of several executions, the part that went wrong is a stripe of the block.
    """
    if block.only is None and block.worst is not None and block.usual is not block.worst:
        stripe = max(high * block.wrong, 2.0)
        yield element(
            "rect", class_=f"wrong {block.worst.word}", x=x, y=y + HEIGHT - stripe, width=width, height=stripe
        )
    if block.counts[How.LOST]:
        yield element("path", class_="mark", d=f"M{x + width / 2:.1f} {y + 1:g}l4 -6h-8z")
    if block.retries:
        yield element("rect", class_="again", x=x, y=y + HEIGHT, width=width, height=2.0)
    if width >= NAMED and block.only is not None and (sign := _SIGNS.get(block.usual)):
        yield element("text", sign, class_="sign", x=x + width / 2, y=y + 12, text_anchor="middle")


def _said(block: Block, look: Look) -> str:
    """A block in words."""
    when = _between(block.from_s, block.to_s, look.window)
    if block.only is None:
        ends = ", ".join(f"{block.counts[how]} {how.value}" for how in How if block.counts[how])
        again = f", {block.retries} of them a further attempt" if block.retries else ""
        return f"{block.executions} executions: {ends}{again}; busy {100 * block.share:.0f} %, {when}"
    only = block.only
    name = look.titles.get(only.job) or bare_class(only.task) or "job"
    attempt = f", attempt {only.attempt}" if only.attempt > 1 else ""
    long = "for" if only.how is How.RUNNING else "after"
    return f"{name} {short(only.job)}: {only.how.value} {long} {span(block.to_s - block.from_s)}{attempt}, {when}"


def _between(from_s: float, to_s: float, window: Window) -> str:
    form = "%H:%M:%S" if window.span_s < 43200 else "%d %b %H:%M:%S"
    return f"{clock(from_s, form)} to {clock(to_s, form)}"


def _axis(look: Look, height: float) -> Iterator[Drawn]:
    for time_s, text in ticks(look.window):
        x = look.x(time_s)
        yield element("line", class_="tick", x1=x, x2=x, y1=TOP - 6, y2=height)
        yield element("text", text, class_="tick", x=x, y=TOP - 11, text_anchor="middle")


def ticks(window: Window) -> list[tuple[float, str]]:
    """The marks of the axis: times that are round where people live, and what stands at each."""
    step = next((each for each in STEPS if window.span_s / each <= TICKS), STEPS[-1])
    shift_s = _shift(window.from_s)
    first = math.ceil((window.from_s + shift_s) / step) * step - shift_s
    count = int((window.to_s - first) / step) + 1 if window.to_s >= first else 0
    days = clock(window.from_s, "%j") != clock(window.to_s, "%j")
    form = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%d %b %Y" if step > 2e6 else "%d %b"
    found = []
    for number in range(count):
        time_s = round(first + number * step, 3)  # else 0.3 is a little less
        midnight = days and step < 86400 and clock(time_s, "%H:%M:%S") == "00:00:00"
        part = f"{time_s % 1:.1f}"[1:] if step < 1 else ""
        found.append((time_s, clock(time_s, "%d %b" if midnight else form) + part))
    return found


def clock(time_s: float, form: str = "%d %b %Y %H:%M:%S") -> str:
    """A time as the clock of this machine shows it."""
    return datetime.fromtimestamp(time_s, timezone.utc).astimezone().strftime(form)


def _shift(time_s: float) -> float:
    """How far the clock of this machine is ahead of UTC, seconds."""
    ahead = datetime.fromtimestamp(time_s, timezone.utc).astimezone().utcoffset()
    return ahead.total_seconds() if ahead is not None else 0.0
