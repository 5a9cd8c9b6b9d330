"""What an identity costs: building a configuration of 20 parameters on 3 levels, validating it, and naming it.

Two others take turns with it in the same process: `hashlib.sha256(msgpack.packb(...))` of the equivalent dict, and
experimaestro. The bench installs experimaestro into an environment of its own. If that fails, experimaestro is reported
as absent. The bench also compares `import xpm_core` with `import msgpack`, each in a new interpreter.

    python bench/identity.py [--rounds N] [--no-peer] [--write]

`--write` puts the figures into bench/RESULTS.md. The exit code is 1 if a limit is missed.
"""

import argparse
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from math import inf
from pathlib import Path
from types import ModuleType
from typing import Any

from harness import ROOT, machine, today, write_section

PEER = "experimaestro==2.7.*"

MSGPACK, WHOLE, LANGUAGE = "import msgpack", "import xpm_core", "from xpm_core import Task, Param"
"""What new interpreters run."""

HASH_LIMIT, PEER_LIMIT, IMPORT_LIMIT = 25.0, 0.5, 2.5
CALLS = 100
"""How often each subject is called in its turn."""

Subject = Callable[[], Any]


def declared(language: str) -> ModuleType:
    """The module learn.py, with its classes declared in a language of configurations."""
    name = f"learn_{language}"
    spec = spec_from_file_location(name, Path(__file__).with_name("learn.py"))
    assert spec is not None, "it is beside this file"
    assert spec.loader is not None, "it is a file of Python"
    module = sys.modules[name] = module_from_spec(spec)
    vars(module)["LANGUAGE"] = language
    spec.loader.exec_module(module)
    return module


def least() -> Subject:
    """The least that an identity could cost: hashing a dict of the same values that is there already."""
    import msgpack

    equivalent = declared("xpm_core").equivalent()
    return lambda: hashlib.sha256(msgpack.packb(equivalent)).digest()


def ours() -> Subject:
    """Build, validate, identify."""
    from xpm_core.identity import seal

    build = declared("xpm_core").build
    return lambda: seal(build())


def peer() -> Subject | None:
    """Experimaestro doing the same; None if it is not installed."""
    if find_spec("experimaestro") is None:
        return None
    build = declared("experimaestro").build

    def name() -> Any:
        config = build()
        config.__xpm__.validate()
        return config.__identifier__().all

    return name


def measure(rounds: int) -> dict[str, list[float]]:
    """Microseconds of each subject in each round, the subjects taking turns."""
    subjects = {"sha256 of msgpack": least(), "xpm": ours(), "experimaestro": peer()}
    present = {name: subject for name, subject in subjects.items() if subject is not None}
    for subject in present.values():
        seconds(subject)
    found: dict[str, list[float]] = {name: [] for name in present}
    for _ in range(rounds):
        for name, subject in present.items():
            found[name].append(seconds(subject) / CALLS * 1e6)
    return found


def seconds(subject: Subject) -> float:
    """Seconds of CPU that some calls take. Not of time, because on a busy machine a long turn waits more often."""
    began = time.process_time()
    for _ in range(CALLS):
        subject()
    return time.process_time() - began


def imports(rounds: int) -> dict[str, list[float]]:
    """Milliseconds that a new interpreter takes to import one thing, in each round."""
    found: dict[str, list[float]] = {line: [] for line in (MSGPACK, WHOLE, LANGUAGE)}
    for _ in range(rounds):
        for line, times in found.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", line], check=True, cwd=ROOT)
            times.append((time.perf_counter() - began) * 1e3)
    return found


def environment_of_peer() -> Path | None:
    """A Python with experimaestro and msgpack, made once and kept in the cache; None if it cannot be made."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "xpm-bench" / f"experimaestro-2.7-python{platform.python_version()}"
    python = folder / "bin" / "python"
    made = folder / "made"
    if not made.exists():
        commands = [
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEER, "msgpack"],
        ]
        for command in commands:
            if subprocess.run(command, capture_output=True).returncode != 0:
                return None
        made.touch()
    return python


def run(rounds: int, with_peer: bool) -> dict[str, Any]:
    """All figures by subject, in milliseconds and microseconds, and the name of the peer."""
    python = environment_of_peer() if with_peer else None
    command = [str(python or sys.executable), str(Path(__file__).resolve()), "--measure", "--rounds", str(rounds)]
    output = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ).stdout
    return {"identity": json.loads(output.splitlines()[-1]), "import": imports(max(rounds // 4, 2))}


def ratio(times: dict[str, list[float]], upper: str, lower: str) -> float | None:
    """The median of the ratios of the rounds; None when one of the two is absent."""
    if upper not in times or lower not in times:
        return None
    return statistics.median(a / b for a, b in zip(times[upper], times[lower], strict=True))


def rows(figures: dict[str, Any]) -> list[tuple[str, str, float | None, float]]:
    """Each comparison: its name, both medians, the median of the ratios, and the limit."""
    compared: list[tuple[str, str, str, str, float]] = [
        ("identity", "xpm", "sha256 of msgpack", "us", HASH_LIMIT),
        ("identity", "xpm", "experimaestro", "us", PEER_LIMIT),
        ("import", WHOLE, MSGPACK, "ms", IMPORT_LIMIT),
        ("import", LANGUAGE, MSGPACK, "ms", inf),
    ]
    found = []
    for group, upper, lower, unit, limit in compared:
        times = figures[group]
        medians = [f"{name} {statistics.median(times[name]):.1f} {unit}" for name in (upper, lower) if name in times]
        absent = "" if lower in times else f", {lower} absent"
        found.append((f"{upper} / {lower}", ", ".join(medians) + absent, ratio(times, upper, lower), limit))
    return found


def table(figures: dict[str, Any]) -> list[str]:
    lines = ["| compared | medians | median of ratios | limit |", "| --- | --- | --- | --- |"]
    for what, medians, found, limit in rows(figures):
        lines.append(f"| {what} | {medians} | {number(found, '.2f')} | {number(limit, 'g')} |")
    return lines


def number(value: float | None, form: str) -> str:
    return "none" if value in (None, inf) else format(value, form)


def missed(figures: dict[str, Any]) -> list[str]:
    return [what for what, _, found, limit in rows(figures) if found is not None and found > limit]


def write(figures: dict[str, Any], rounds: int) -> None:
    """Put the figures into RESULTS.md, in the place of the old ones."""
    section = [
        f"Taken {today()} by `make bench-identity`, msgpack {version('msgpack')}, on {machine()}.",
        f"{rounds} rounds of {CALLS} calls each, the subjects taking turns in one process, in CPU time; imports: "
        f"{len(figures['import'][MSGPACK])} pairs of new interpreters.",
        "",
        *table(figures),
    ]
    write_section("Identity", section)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--no-peer", action="store_true", help="do not install experimaestro")
    parser.add_argument("--write", action="store_true", help="put the figures into bench/RESULTS.md")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.rounds)))
        return 0
    figures = run(given.rounds, not given.no_peer)
    print("\n".join(table(figures)))
    if given.write:
        write(figures, given.rounds)
    for what in missed(figures):
        print(f"missed: {what}", file=sys.stderr)
    return 1 if missed(figures) else 0


if __name__ == "__main__":
    sys.exit(main())
