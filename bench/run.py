"""All benches, ours and theirs turn by turn, in one table. The server is the one that xpm would start: first on PATH.

    python bench/run.py [--quick] [--only NAME]... [--write]

`--write` puts the table into bench/RESULTS.md. The exit code is 1 if a limit is missed.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Sequence
from importlib import import_module

from harness import HEAD, Row, Size, load, machine, table, today, write_section
from place import server

NAMES = [
    *("drain", "submission", "latency", "slots", "growth", "graphs"),
    *("imports", "distance", "commands", "code", "fingerprints", "tracing", "results", "page"),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="all, at reduced size, in a few minutes")
    parser.add_argument("--only", action="append", choices=NAMES, help="this bench only")
    parser.add_argument("--write", action="store_true", help="put the table into bench/RESULTS.md")
    given = parser.parse_args()
    rows: list[Row] = []
    known = server()
    print(f"{known}; {machine()}; load average {load()}\n", flush=True)
    print("| " + " | ".join(HEAD) + " |", flush=True)
    for name in given.only or NAMES:
        began = time.monotonic()
        for row in measured(name, Size(given.quick)):
            rows.append(row)
            print("| " + " | ".join(row.cells()) + " |", flush=True)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    if given.write:
        write(rows, given.quick, known)
    missed = [row for row in rows if row.reached is False]
    for row in missed:
        print(f"missed: {row.what}, {row.against}", file=sys.stderr)
    return 1 if missed else 0


def measured(name: str, size: Size) -> Sequence[Row]:
    """The rows of a bench; if it fails, one row that says so."""
    bench = import_module(name)
    try:
        found: Sequence[Row] = bench.rows(size)
    except Exception as error:  # the edge: the others go on
        traceback.print_exc()
        return [Row(bench.TITLE, absent=f"failed: {type(error).__name__}")]
    return found


def write(rows: list[Row], quick: bool, known: str) -> None:
    """Put the table into the section of this size. A Redis has a section of its own."""
    target = "make bench-quick" if quick else "make bench"
    title = ("Speed, at reduced size" if quick else "Speed") + ("" if known.startswith("Valkey") else ", on Redis")
    write_section(title, [
        f"Taken {today()} by `{target}` with {known} on {machine()}, load average at the end "
        f"{load()}. Workspaces on tmpfs (/dev/shm), servers keep nothing on disk, "
        "on both sides. Each figure is the median of five turns, ours and theirs in turn; ratios are those of pairs.",
        "",
        *table(rows),
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
