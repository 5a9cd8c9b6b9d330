"""What the server and its scripts answer, as texts, maps and records.

Owns: how a reply is read. Others can write into Redis, so a value may be malformed. It is then shown, or read as empty.
A text that people are to read goes through `shown`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from xpm_core.errors import BeingRemovedError, TokenRequestError, UnknownDependencyError
from xpm_core.labels import label
from xpm_core.project.origin import origin_clash
from xpm_core.states import State
from xpm_core.store.records import Claim, ClaimCode, Lease, Pause, Submission, SubmitCode, Submitted
from xpm_core.workspace.job_spec import JobOptions, JobSpec, Retries

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that act on a terminal, except tabs and ends of lines."""

# -- values ------------------------------------------------------------------------------------------------------------


def text_of(value: Any) -> str:
    """A value as a text; bytes that are not UTF-8 are shown by their numbers."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def seconds_of(value: bytes | str | None) -> float:
    """A time in milliseconds as seconds; 0 if there is none."""
    return int(value) / 1000 if value else 0.0


def map_of(value: Any) -> dict[str, Any]:
    """The map that a value holds as JSON; an empty one if it holds none."""
    return map_or_none(value) or {}


def map_or_none(value: Any) -> dict[str, Any] | None:
    """The map that a value holds as JSON; None if it holds something else, or nothing."""
    try:
        found = json.loads(text_of(value)) if value else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def shown(value: Any) -> Any:
    """A value of JSON as it can be shown: its texts have no characters that act on a terminal.

    Example:
        >>> shown({"message": "a\x1b[2Jb"})
        {'message': 'a?[2Jb'}
    """
    if isinstance(value, str):
        return value if value.isprintable() else _CONTROL.sub("?", value)
    if isinstance(value, dict):
        return {shown(name): shown(item) for name, item in value.items()}
    return [shown(item) for item in value] if isinstance(value, list) else value


def pause_of(value: Any) -> Pause | None:
    """The pause of a queue, by the JSON that Redis keeps of it; None if there is none."""
    if not value:
        return None
    found = shown(map_of(value))
    since = found.get("since")
    since_s = since / 1000 if isinstance(since, (int, float)) else 0.0
    return Pause(since_s, str(found.get("by", "")), str(found.get("why", "")))


# -- replies of submit and recall --------------------------------------------------------------------------------------


def submitted(reply: Sequence[Any], jobs: Sequence[Submission], origins: Mapping[str, str]) -> list[Submitted]:
    """What became of submissions, as `submit.lua` replies.

    Raises:
        TokenRequestError, UnknownDependencyError, OriginClashError, BeingRemovedError: See `Store.submit`.
    """
    if reply[0] == -1:
        _, identity, token, asked, capacity = reply
        raise TokenRequestError(text_of(token), _label(jobs, text_of(identity)), int(asked), int(capacity))
    if reply[0] == -2:
        raise UnknownDependencyError(_label(jobs, text_of(reply[1])), text_of(reply[2]))
    if reply[0] == -4:
        raise BeingRemovedError(_label(jobs, text_of(reply[1])))
    if reply[0] == -3:
        raise origin_clash(text_of(reply[1]), text_of(reply[2]), origins[text_of(reply[1])])
    since, cursor = text_of(reply[1]), text_of(reply[2])
    known: dict[str, Submitted] = {}
    lines = text_of(reply[3]).split("\n") if jobs else []
    return [known.get(line) or _answer(line, cursor, since, known) for line in lines]


def _answer(line: str, cursor: str, since: str, known: dict[str, Submitted]) -> Submitted:
    """What a line says. Most lines are equal to an earlier one, whose answer is `known`."""
    code, state, execution, ended, root, *fate = line.split(" ")
    kept, replaced = (fate[1] if fate and fate[0] == word else None for word in ("kept", "replaced"))
    found = known[line] = Submitted(
        SubmitCode(int(code)), State(state), execution, int(ended) / 1000, root, cursor, since, kept, replaced
    )
    return found


def _label(jobs: Iterable[Submission], identity: str) -> str:
    return next((job.label for job in jobs if job.identity == identity), label("job", identity))


def recalled(reply: Sequence[Any]) -> list[Submitted | None]:
    """What became of recalled jobs, as `recall.lua` replies: None for each one that is not done."""
    done = Submitted(SubmitCode.DONE, State.DONE, "", 0.0, "", text_of(reply[0]))
    return [done if found == "1" else None for found in text_of(reply[1])]


# -- replies of claim and finish ---------------------------------------------------------------------------------------


def claim(reply: Sequence[Any]) -> Claim:
    """What a claim brought, as `claim.lua` replies."""
    code = ClaimCode(reply[0])
    lease = _lease(reply[9:]) if code is ClaimCode.CLAIMED else None
    ready, delayed, running = (int(count) for count in reply[3:6])
    registered, order = bool(reply[6]), text_of(reply[7])
    return Claim(code, int(reply[1]) / 1000, bool(reply[2]), ready, delayed, running, registered, order, lease)


def _lease(reply: Sequence[Any]) -> Lease:
    (identity, execution, left_ms, attempt, task, name, directory, payload, options, queue, units, replaces, cancel,
     needs, max_retries, max_losses, backoff_ms, tags, experiment) = reply  # fmt: skip
    return Lease(
        spec=spec_of(identity, task, name, directory, payload, options),
        execution=text_of(execution),
        left_s=int(left_ms) / 1000,
        attempt=int(attempt),
        queue=text_of(queue),
        units={name: (int(n), numbers) for name, n, numbers, _ in _holdings(text_of(units))},
        variables={variable: numbers for _, _, numbers, variable in _holdings(text_of(units)) if variable},
        replaces=text_of(replaces),
        cancelled=bool(cancel),
        needs=tuple(filter(None, text_of(needs).split(","))),
        retries=Retries(int(max_retries), int(max_losses), int(backoff_ms) / 1000),
        tags=_scalars(tags),
        experiment=text_of(experiment),
    )


def _scalars(value: Any) -> dict[str, Any]:
    """The tags that a value holds. They are not signed: what no tag can be, such as a list of lists, is left out."""
    found = map_or_none(value) or {}
    return {name: tag for name, tag in found.items() if isinstance(tag, (str, int, float)) or tag is None}


def spec_of(identity: Any, task: Any, name: Any, directory: Any, payload: bytes, options: Any) -> JobSpec:
    """A job by what the server holds of it; `JobOptions.problems` says if its options are no map."""
    words = (text_of(identity), text_of(task), text_of(name), text_of(directory))
    written = map_or_none(options)
    if written is None:
        return JobSpec(*words, payload, JobOptions.read_nothing(text_of(options)))
    return JobSpec.read(*words, payload, written)


def _holdings(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Name, count, numbers and variable of each token that a job holds.

    `lua/include/holdings.lua` writes them so: `cpu=2;gpu=1:0:CUDA_VISIBLE_DEVICES`.
    """
    for part in filter(None, text.split(";")):
        name, _, rest = part.partition("=")
        n, numbers, variable, *_ = [*rest.split(":", 2), "", ""]
        yield name, n, numbers, variable
