"""What has become of the code of a job, and the words for it.

Owns: these. Each script loads them, and most scripts judge nothing. So this imports nothing of the comparison.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from xpm_core.fingerprints.comparison import Answer, Change


class Judgement(NamedTuple):
    """What has become of the code of a job.

    Attributes:
        answer: same: the same code and data. ran: some has changed that it ran or read. reached: code has changed that
            it could have run, and did not. unknown: it cannot be told.
        changes: The definitions that have changed, sorted.
        files: The files beside the code that it has read and that have changed, sorted.
        why: Why it cannot be told, such as "getattr at registry.py:14"; empty for the other answers.
        snapshot: The snapshot with which today's code was compared: that of the job, or the one that was accepted last
            (`Acceptance`); empty if it is not known.
        versions: What has another version now than the job had: Python, and packages that its files import. This has no
            part in the answer.

    Example:
        >>> judge.of(directory, "train:Train").places
        ['mlp.py forward()']
    """

    answer: Answer
    changes: tuple[Change, ...] = ()
    files: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    snapshot: str = ""
    versions: tuple[str, ...] = ()

    @property
    def places(self) -> list[str]:
        """What has changed, for people: the file, and what in it."""
        return [*dict.fromkeys([*map(named, self.changes), *self.files])]


def is_as_today(snapshot: str, packages: str, *, today: tuple[str, str]) -> bool:
    """Whether code and packages of a job are those of today, by what the index says. Its directory is not read.

    Args:
        snapshot: The snapshot that it ran, or the beginning of its digest.
        packages: The packages with which it ran, or the beginning of their digest; empty if that is not known.
        today: Today's snapshot, and today's packages.

    Example:
        >>> is_as_today(end.code, end.packages, today=(code.snapshot, provenance.packages))
        True
    """
    return bool(snapshot) and today[0].startswith(snapshot) and today[1].startswith(packages)


def named(change: Change) -> str:
    """A change as people are told it.

    Example:
        >>> named(Change("digits", "mlp.py", "MLP.forward", 12, "changed"))
        'mlp.py MLP.forward'
    """
    return change.path if change.name.startswith("<") else f"{change.path} {change.name}"
