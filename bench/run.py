"""All benches, ours and theirs turn by turn, into one table.

    python bench/run.py [--quick] [--only NAME]... [--write]

`--write` puts the table into bench/RESULTS.md. Exit code 1 when something is missed.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Sequence
from importlib import import_module

from harness import HEAD, Row, Size, machine, table, today, write_section

NAMES = ["drain", "submission", "latency", "slots", "growth", "graphs", "imports", "distance"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="all, at reduced size, in a few minutes")
    parser.add_argument("--only", action="append", choices=NAMES, help="this bench only")
    parser.add_argument("--write", action="store_true", help="put the table into bench/RESULTS.md")
    given = parser.parse_args()
    rows: list[Row] = []
    print("| " + " | ".join(HEAD) + " |", flush=True)
    for name in given.only or NAMES:
        began = time.monotonic()
        for row in measured(name, Size(given.quick)):
            rows.append(row)
            print("| " + " | ".join(row.cells()) + " |", flush=True)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    if given.write:
        write(rows, given.quick)
    missed = [row for row in rows if row.reached is False]
    for row in missed:
        print(f"missed: {row.what}, {row.against}", file=sys.stderr)
    return 1 if missed else 0


def measured(name: str, size: Size) -> Sequence[Row]:
    """The rows of a bench; when it fails, one that says so."""
    bench = import_module(name)
    try:
        found: Sequence[Row] = bench.rows(size)
    except Exception as error:  # the edge: the others go on
        traceback.print_exc()
        return [Row(bench.TITLE, absent=f"failed: {type(error).__name__}")]
    return found


def write(rows: list[Row], quick: bool) -> None:
    target = "make bench-quick" if quick else "make bench"
    write_section("Speed, at reduced size" if quick else "Speed", [
        f"Taken {today()} by `{target}` on {machine()}. Workspaces on tmpfs (/dev/shm), servers keep nothing on disk, "
        "on both sides. Each figure is the median of five turns, ours and theirs in turn; ratios are those of pairs.",
        "",
        *table(rows),
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
