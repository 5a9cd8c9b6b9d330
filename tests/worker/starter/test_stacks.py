"""What faulthandler writes, read while it is being written."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_worker.job import failure, standby
from xpm_worker.starter import stacks

LIBRARY = str(Path(pytest.__file__))
STACK = f"""
Current thread 0x00007f94901bbb80 [python] (most recent call first):
  File "{LIBRARY}", line 12 in wait
  File "/home/me/st\\xfcdy.py", line 79 in b\\u0142d
  File "{stacks.__file__}", line 5 in execute
  File "/home/me/study.py", line 30 in execute
  File "{standby.__file__}", line 50 in stand_by
  File "<string>", line 1 in <module>
"""
OTHER = """Thread 0x00007f948f4056c0 (most recent call first):
  File "/home/me/other.py", line 1 in run

"""


def test_the_frames_of_the_main_thread_are_read_without_ours() -> None:
    frames, whole = stacks.parse(OTHER + STACK)
    assert whole
    assert [(frame["file"], frame["line"], frame["function"], frame["own"]) for frame in frames] == [
        ("/home/me/study.py", 30, "execute", True),
        ("/home/me/stüdy.py", 79, "błd", True),
        (LIBRARY, 12, "wait", False),
    ]
    said = failure.from_stack("Timeout", "ran longer than 20 s", frames)
    assert said["message"] == "ran longer than 20 s; it stood at stüdy.py:79 in błd"


@pytest.mark.parametrize("length", range(0, len(STACK) - 60, 7))
def test_what_is_not_yet_written_is_never_read_wrongly(length: int) -> None:
    frames, whole = stacks.parse(STACK[:length])
    all_frames, _ = stacks.parse(STACK)
    assert not whole
    assert not frames or frames == all_frames[-len(frames) :]


def test_a_stack_that_is_cut_is_whole() -> None:
    frames, whole = stacks.parse(STACK.partition('  File "' + stacks.__file__)[0] + "  ...\n")
    assert (whole, frames[0]["line"]) == (True, 79)


def test_another_thread_after_it_is_not_read() -> None:
    frames, whole = stacks.parse(STACK.rpartition('  File "<string>')[0] + "\n" + OTHER)
    assert (whole, len(frames)) == (True, 3)


def test_where_nothing_is_known_nothing_is_said() -> None:
    assert stacks.parse("noise\n") == ([], False)
    assert failure.from_stack("Timeout", "ran longer than 20 s", []) == failure.from_text(
        "Timeout", "ran longer than 20 s"
    )


def test_a_process_that_does_not_listen_is_not_signalled(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    assert stacks.ask(1, str(log), "no", 0.0) == []
    assert log.read_text() == ""
