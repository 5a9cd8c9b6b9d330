"""How people are shown a job: the start of its identity, its label, its title, and the bare name of its class."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

LIVE = "live"
"""Stands for code that is not kept: a job runs the files as they are when it starts."""

SHOWN = 7
"""Characters of an identity that people are shown."""


def short(identity: str) -> str:
    """The start of an identity, as people are shown it. The mark of a foreign run stays.

    Example:
        >>> short("3f2a91c04b"), short("csv:9b76761646")
        ('3f2a91c', 'csv:9b76761')
    """
    return identity[: identity.find(":") + 1 + SHOWN]


def label(name: str, identity: str) -> str:
    """How messages name a job.

    Example:
        >>> label("Train", "3f2a91c04b")
        'Train/3f2a91c'
    """
    return f"{name}/{short(identity)}"


def title(name: str, tags: Mapping[str, Any]) -> str:
    """A job as people know it, by its class and tags.

    Example:
        >>> title("Train", {"lr": 0.1, "model": "mlp"})
        'Train lr=0.1 model=mlp'
    """
    return " ".join([name, *(f"{tag}={value}" for tag, value in tags.items())])


@lru_cache(maxsize=1024)  # lists of jobs ask for few names many times
def bare_class(name: str) -> str:
    """The name of a class without its module and the classes around it.

    Example:
        >>> bare_class("sweep:Study.Train"), bare_class("numpy._core._exceptions._ArrayMemoryError")
        ('Train', '_ArrayMemoryError')
    """
    return name.rpartition(":")[2].rpartition(".")[2]
