"""The documents of what only the server knows: workers, tokens and queues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.json_form import SCHEMA, moment
from xpm_cli.output.tables.queue_table import queue_record
from xpm_cli.output.tables.token_table import token_record
from xpm_cli.output.tables.worker_table import WorkerTable
from xpm_core.reading.steering.queues import QueueState
from xpm_core.reading.tokens import TokenState
from xpm_core.reading.workers import WorkerState


def worker_table(opened: OpenWorkspace, found: Sequence[WorkerState], *, refused: bool = False) -> WorkerTable:
    """The table of some workers, with the jobs that they run.

    Args:
        opened: The workspace.
        found: The workers.
        refused: Whether to find out what their daemons have refused.
    """
    jobs = opened.reader.jobs.read(worker.job for worker in found if worker.job)
    avoided = opened.reader.reasons.avoided(found) if refused else []
    return WorkerTable(found, {job.identity: job for job in jobs}, avoided, opened.now_s)


def workers_document(opened: OpenWorkspace, table: WorkerTable) -> dict[str, Any]:
    """The document of `xpm workers --json`."""
    return _document(opened, "workers", table.records())


def tokens_document(opened: OpenWorkspace, found: Iterable[TokenState]) -> dict[str, Any]:
    """The document of `xpm tokens --json`."""
    return _document(opened, "tokens", map(token_record, found))


def queues_document(opened: OpenWorkspace, found: Iterable[QueueState]) -> dict[str, Any]:
    """The document of `xpm queues --json`."""
    return _document(opened, "queues", map(queue_record, found))


def _document(opened: OpenWorkspace, name: str, records: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"schema": SCHEMA, "time": moment(opened.now_s), "source": opened.view.server, name: list(records)}
