"""Signatures of jobs: with them, only who has the key decides what workers run.

Owns: what is signed, and how. The key is XPM_SIGNING_KEY, the same where jobs are submitted and where workers run; the
signature travels among a job's options. Imports nothing heavy.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgpack

from xpm_core.errors import SignatureError

VARIABLE = "XPM_SIGNING_KEY"
SIGNATURE = "signature"
"""The option of a job that holds its signature."""

_WHAT = "job of xpm, form 1"
"""Signed too, so that no signature of this key that was made for something else passes for a job's."""


class SignedJob(NamedTuple):
    """What decides what is run, and where: all of it is signed.

    Not signed is what only decides when: queue, priority, tokens, dependencies, retries.
    """

    workspace: str
    """The workspace's id."""
    identity: str
    task: str
    name: str
    directory: str
    payload: bytes
    options: Mapping[str, Any]
    """Time limit, environment and the like; of them all but the signature itself is signed."""


def key_in(environment: Mapping[str, str]) -> bytes | None:
    """The key that an environment holds; None when it holds none."""
    return environment.get(VARIABLE, "").encode("utf-8", "surrogateescape") or None


def sign(key: bytes, job: SignedJob) -> str:
    """The signature of a job: HMAC-SHA256, as 64 hexadecimal characters."""
    options = {name: value for name, value in job.options.items() if name != SIGNATURE}
    text = json.dumps(options, sort_keys=True)
    head = [_WHAT, job.workspace, job.identity, job.task, job.name, job.directory, text]
    # msgpack tells where each part ends, so no two jobs have one message
    message = msgpack.packb(head, unicode_errors="surrogatepass") + job.payload
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def verify(key: bytes, job: SignedJob, where: str) -> None:
    """Make sure that a job was signed with a key, and is as it was then.

    Args:
        key: The key.
        job: The job.
        where: Its name, for messages.

    Raises:
        SignatureError: It has no signature, or another one.
    """
    given = job.options.get(SIGNATURE)
    if not isinstance(given, str) or not given:
        problem = f"it is not signed, and {VARIABLE} is set here: only signed jobs are run"
        raise SignatureError(where, problem, f"Submit it again with that {VARIABLE}.")
    if not hmac.compare_digest(sign(key, job).encode(), given.encode("utf-8", "surrogatepass")):
        problem = f"its signature is not that of the {VARIABLE} here: it was changed, or signed with another key"
        raise SignatureError(where, problem, f"Submit it again with that {VARIABLE}.")
