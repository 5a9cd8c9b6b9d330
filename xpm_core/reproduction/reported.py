"""What a job has reported, without what differs each time: the execution, and when a line was written.

Owns: which parts of `results.json` and `metrics.jsonl` count when two runs of a job are compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from xpm_core.job.reporting.metrics import MARK
from xpm_core.job.reporting.metrics import NAME as METRICS
from xpm_core.workspace.reported.results_file import NAME as RESULTS
from xpm_core.workspace.reported.results_file import SCHEMA


def counting(path: str, content: bytes) -> bytes:
    """The part of a file that counts; all of it, if xpm has not written the file.

    Args:
        path: The path of the file in the job's directory.
        content: Its content.

    Example:
        >>> counting("results.json", b'{"schema": 1, "execution": "e7f3", "results": {"accuracy": 0.9}}')
        b'{"schema": 1, "results": {"accuracy": 0.9}}'
    """
    part = _PARTS.get(path)
    if part is None:
        return content
    try:
        found = part(content)
    except (ValueError, RecursionError):
        return content
    return content if found is None else found


def _of_results(content: bytes) -> bytes | None:
    found = json.loads(content)
    if not isinstance(found, dict) or found.get("schema") != SCHEMA or "execution" not in found:
        return None
    return json.dumps({name: value for name, value in found.items() if name != "execution"}).encode()


def _of_metrics(content: bytes) -> bytes | None:
    rows = [json.loads(line) for line in content.splitlines() if line]
    if not rows or not all(isinstance(row, dict) for row in rows) or MARK not in rows[0]:
        return None
    return "".join(f"{json.dumps(row)}\n" for row in _without_times(rows)).encode()


def _without_times(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        if MARK not in row:
            yield {name: value for name, value in row.items() if name != "at"}


_PARTS: dict[str, Callable[[bytes], bytes | None]] = {RESULTS: _of_results, METRICS: _of_metrics}
