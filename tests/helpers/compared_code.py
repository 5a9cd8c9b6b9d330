"""The verdict on two states of a project. `from helpers.compared_code import compare`."""

from __future__ import annotations

from xpm_core.fingerprints.comparison import Comparison, Verdict
from xpm_core.fingerprints.project import Project
from xpm_core.fingerprints.ran import Ran
from xpm_core.fingerprints.reached import Reached
from xpm_core.fingerprints.walk import Walk


def compare(old: Project, new: Project, reached: Reached, ran: Ran | None = None) -> Verdict:
    """What has become of what a job could reach, and of what it ran."""
    return Comparison(Walk(old), Walk(new)).verdict(reached, ran)
