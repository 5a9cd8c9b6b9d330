"""The functions that RQ's worker runs."""

from typing import Any


def nothing(index: int) -> None:
    """The least that a job can be."""


def train(model: dict[str, Any], epochs: int, rate: float, seed: int) -> None:
    """The function that is enqueued where submission is measured."""
