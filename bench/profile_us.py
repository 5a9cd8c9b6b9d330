"""Where the time of a worker and of a submission goes, by py-spy: the functions that take most, by kind of process.

python bench/profile_us.py [--jobs N]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import peers
from place import Place

RATE = 500
LEAST = 0.03
"""Of a kind of process: what takes less is not shown."""
KINDS = {"job": "job/main.py", "starter": "starter/main.py", "slot": "slot/main.py", "submission": "ours.py"}
"""The end of the path of a file that only the stacks of this kind of process have; a job's are looked for first."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=500)
    jobs = parser.parse_args().jobs
    python = peers.python_of("py-spy")
    if python is None:
        print("py-spy is absent: it could not be installed", file=sys.stderr)
        return
    spy = str(Path(python).with_name("py-spy"))
    with Place() as place:
        folder = place.folder("workspace")
        peers.run("ours", "queue", url=place.url, folder=folder, jobs=jobs)
        worker = [sys.executable, "-m", "xpm_worker", "--workspace", folder, "--burst"]
        show(record(spy, place, worker), ("slot", "starter", "job"))
    with Place() as place:
        options = f'{{"url": "{place.url}", "folder": "{place.folder("workspace")}", "jobs": {jobs * 10}}}'
        show(record(spy, place, [sys.executable, str(peers.SIDES / "ours.py"), "submit", options]), ("submission",))


def record(spy: str, place: Place, command: list[str]) -> str:
    """Stacks and how often each was seen."""
    output = place.folder("stacks")
    environment = {**os.environ, "XPM_REDIS_URL": place.url, "PYTHONPATH": str(peers.ROOT)}
    options = ["record", "--format", "raw", "--subprocesses", "--rate", str(RATE), "--output", output, "--"]
    subprocess.run([spy, *options, *command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return Path(output).read_text()


def show(stacks: str, kinds: tuple[str, ...]) -> None:
    """The functions in which a kind of process was seen most often, together with the functions that they call."""
    found: dict[str, Counter[str]] = {kind: Counter() for kind in kinds}
    total: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        kind = next((each for each in ("job", *kinds) if each in kinds and f"{KINDS[each]}:" in stack), None)
        if kind is not None:
            total[kind] += int(count)
            frames = {frame.rpartition(":")[0] + ")" for frame in stack.split(";") if ".py:" in frame}
            found[kind].update(dict.fromkeys(frames, int(count)))
    for kind in kinds:
        print(f"\n{kind}: {total[kind] / RATE:.1f} s")
        for frame, count in found[kind].most_common():
            if count >= LEAST * total[kind]:
                print(f"{count / total[kind]:6.0%}  {frame}")


if __name__ == "__main__":
    main()
