"""Signatures of jobs: with them, only somebody who has the key decides what workers run.

Owns: how the record of a job is signed. The key is XPM_SIGNING_KEY. It is the same where jobs are submitted and where
workers run. Imports nothing heavy.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

import msgpack

from xpm_core.errors import SettingsError, SignatureError
from xpm_core.workspace.job_spec import JobSpec

VARIABLE = "XPM_SIGNING_KEY"

_WHAT = "job of xpm, form 1"
"""Signed too, so that no signature that this key made for something else passes for a job's."""


def key_in(environment: Mapping[str, str]) -> bytes | None:
    """Return the key that an environment holds; None when it holds none.

    Raises:
        SettingsError: The key is empty, as after `$(cat key)` of a file that is not there. It would protect nothing.
    """
    if (key := environment.get(VARIABLE)) is None:
        return None
    if not key.strip():
        raise SettingsError(VARIABLE, "it is empty, so it would protect nothing", f"Give the key, or unset {VARIABLE}.")
    return key.encode("utf-8", "surrogateescape")


def sign(key: bytes, workspace_id: str, spec: JobSpec) -> str:
    """Sign a job: HMAC-SHA256 (RFC 2104) over the workspace and all of the job's record but the signature.

    Args:
        key: The key.
        workspace_id: The id of the workspace, so that the job runs in no other one.
        spec: The job.

    Returns:
        64 hexadecimal characters.
    """
    options = json.dumps(spec.options.written, sort_keys=True)
    # msgpack writes the length of each part, so that two different jobs never give the same message
    head = msgpack.packb([_WHAT, workspace_id, *spec.words, options], unicode_errors="surrogatepass")
    return hmac.new(key, head + spec.payload, hashlib.sha256).hexdigest()


def signed(key: bytes, workspace_id: str, spec: JobSpec) -> JobSpec:
    """Return the job with its signature."""
    return spec._replace(signature=sign(key, workspace_id, spec))


def verify(key: bytes, workspace_id: str, spec: JobSpec) -> None:
    """Make sure that a job was signed with a key, and was not changed afterwards.

    Raises:
        SignatureError: It has no signature, or another one.
    """
    if not isinstance(spec.signature, str) or not spec.signature:
        problem = f"it is not signed, and {VARIABLE} is set here: only signed jobs are run"
        raise SignatureError(spec.label, problem, f"Submit it again with that {VARIABLE}.")
    expected = sign(key, workspace_id, spec)
    if not hmac.compare_digest(expected.encode(), spec.signature.encode("utf-8", "surrogatepass")):
        problem = f"its signature is not that of the {VARIABLE} here: it was changed, or signed with another key"
        raise SignatureError(spec.label, problem, f"Submit it again with that {VARIABLE}.")
