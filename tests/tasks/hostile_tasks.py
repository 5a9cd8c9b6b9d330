"""Tasks that do what no job should. They lie in a module of their own, because a worker imports it."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
from pathlib import Path

from xpm_core.config import Param, Task, field

BLOCK = 10_000


class Print(Task):
    """Prints so many megabytes of numbered lines, on one stream or both."""

    megabytes: Param[int]
    fails: Param[bool] = field(default=False)

    def execute(self) -> None:
        print("the first line")
        for number in range(self.megabytes):
            sys.stdout.write(f"block {number:06} {'x' * 86}\n" * BLOCK)
        print("the last line")
        if self.fails:
            sys.stderr.write(f"{'y' * 99}\n" * BLOCK * self.megabytes)
            raise ValueError("after all that")


class DeleteOwnDirectory(Task):
    """Deletes its job's directory, and goes on for a moment."""

    fails: Param[bool]

    def execute(self) -> None:
        shutil.rmtree(os.environ["XPM_TASKDIR"])
        print("into nowhere")
        if self.fails:
            raise ValueError("the directory is gone")


class SpoilRecords(Task):
    """Puts something else where its job's records go."""

    note: Param[str]

    def execute(self) -> None:
        shutil.rmtree(".xpm")
        Path(".xpm").write_text("not a folder")


class SpoilHanded(Task):
    """Puts a folder where its worker writes down how to run the job again."""

    note: Param[str]

    def execute(self) -> None:
        Path(".xpm/handed.json/in the way").mkdir(parents=True)


class FillDisk(Task):
    """Writes until the disk is full."""

    swallows: Param[bool]

    def execute(self) -> None:
        try:
            with open("large", "wb", buffering=0) as file:
                while True:
                    file.write(bytes(65536))
        except OSError as error:
            with contextlib.suppress(OSError), open("small", "wb", buffering=0) as file:
                while True:  # what was left of the last block
                    file.write(b"x")
            if error.errno != errno.ENOSPC or not self.swallows:
                raise


class BreakParameters(Task):
    """Leaves behind parameters that cannot be read, and fails."""

    kind: Param[str]

    def execute(self) -> None:
        Path("params.json").unlink()
        if self.kind == "folder":
            Path("params.json").mkdir()
        elif self.kind == "noise":
            Path("params.json").write_bytes(b"\xff\x00{")
        raise ValueError("no good")
