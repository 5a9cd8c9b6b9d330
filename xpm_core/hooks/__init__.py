"""Hooks: functions of installed packages that xpm calls when a job starts or ends, and when a run ends.

A package registers them as entry points of the group `xpm.hooks`. They run in the slot of a worker and in the script,
never in the process of a job.

Owns: finding them, calling them so that nothing waits long for them, and what they are told. May import the modules
that lie directly in `xpm_core`.
"""

from __future__ import annotations

from xpm_core.hooks.calls import LIMIT_S, Hooks
from xpm_core.hooks.facts import EndedRun, HookedJob, JobOutcome
from xpm_core.hooks.late_calls import LateCalls

__all__ = ["LIMIT_S", "EndedRun", "HookedJob", "Hooks", "JobOutcome", "LateCalls"]
