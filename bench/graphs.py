"""Long chains, wide graphs and large values: what one more link costs, and whether the whole graph runs.

The server and the workspace are new each time. So the memory of a chain is what both hold afterwards.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import peers
from harness import Limit, Row, Size, turns
from place import Place

TITLE = "Graphs"


def rows(size: Size) -> list[Row]:
    """Long chains against short ones and against tasks that need none. A graph that runs is compared with nothing."""
    few, many = size.of(1_000, 500), size.of(10_000, 2_000)
    return [*chains(few, many), *running(few, many, size.of(300_000, 300_000))]


def chains(few: int, many: int) -> list[Row]:
    """What the submission of a link costs: time, and bytes in the server and in parts."""
    times = turns({
        "short": lambda: submission("chain", few)[0] / few * 1e6,
        "long": lambda: submission("chain", many)[0] / many * 1e6,
        "alone": lambda: submission("alone", few)[0] / few * 1e6,
    })  # fmt: skip
    sizes = {count: [submission("chain", count)[1] / count] for count in (few, many)}
    return [
        Row(f"submission of a link, chain of {few}", "of a task alone", "us", times["short"], times["alone"]),
        Row(f"submission of a link, chain of {many}", f"of {few}", "us", times["long"], times["short"], Limit("<=", 2)),
        Row(f"bytes of a link, chain of {many}", f"of {few}", "bytes", sizes[many], sizes[few], Limit("<=", 2)),
    ]  # fmt: skip


def running(few: int, many: int, numbers: int) -> list[Row]:
    """From the first submission until all jobs are done, with two slots of the script's own."""
    shapes = {f"a chain of {few}": ("chain", few), f"{many} that need one": ("fan-out", many),
              f"one that needs {many}": ("fan-in", many)}  # fmt: skip
    found = [
        Row(f"{name}, submit to end", "", "jobs/s", [count / done(kind, count)])
        for name, (kind, count) in shapes.items()
    ]
    times = turns({"many": partial(done, "numbers", numbers), "one": partial(done, "numbers", 1)}, 3)
    return [*found, Row(f"{numbers} floats in a list, submit to end", "one float", "s", times["many"], times["one"])]


def submission(kind: str, count: int) -> tuple[float, int]:
    """Seconds until the server has all tasks, and the bytes that the server and the workspace's parts have gained."""
    with Place() as place:
        before = place.client.info("memory")["used_memory"]
        folder = place.folder("workspace")
        seconds = peers.run("ours", "link", url=place.url, folder=folder, kind=kind, count=count)["seconds"]
        parts = sum(file.stat().st_size for file in Path(folder, ".xpm", "parts").glob("*"))
        return seconds, place.client.info("memory")["used_memory"] - before + parts


def done(kind: str, count: int) -> float:
    """Seconds until all of them are done."""
    with Place() as place:
        options = {"url": place.url, "folder": place.folder("workspace"), "kind": kind, "count": count}
        return float(peers.run("ours", "link", **options, slots=2)["seconds"])
