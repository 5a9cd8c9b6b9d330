"""Which tests get the mark `shows`: it makes no difference to them which server program runs.

`from helpers.marks import any_server_holds`.
"""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parents[1]

SHOWS = (
    "cli",
    "core/script/live",
    "core/script/show",
    "house",
    "whole/code",
    "whole/documents",
    "whole/scripts/test_code.py",
    "whole/scripts/test_edits.py",
    "whole/scripts/test_language.py",
)
"""Commands, the page, reports and documents show what other tests have written, too."""

LOADS_NO_REDIS = ("core/job", "core/wire", "worker/job", "worker/starter", "worker/system", "worker/template")
"""What is tested here runs in processes of jobs, which load nothing of Redis. A daemon is there to start them."""

SERVERS = (
    "cli/commands/upkeep/test_server.py",
    "whole/documents/test_howto.py",  # it marks its pages itself
    "whole/documents/test_howto_redis.py",
)
"""These are about servers, all the same."""


def any_server_holds(file: Path) -> bool:
    """Whether the tests of a file get the mark."""
    name = file.relative_to(TESTS)
    return any(map(name.is_relative_to, (*SHOWS, *LOADS_NO_REDIS))) and name.as_posix() not in SERVERS
