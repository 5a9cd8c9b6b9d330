"""A done job as its directory keeps it, because Redis forgets how to run it.

Owns: the form of `.xpm/handed.json`. Processes of jobs do not load it.
"""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from typing import NamedTuple

from xpm_core.workspace.job_records import object_in
from xpm_core.workspace.job_spec import JobSpec, Retries


class KeptJob(NamedTuple):
    """All that is needed to run a done job again.

    Args:
        spec: What it runs. Identity and directory are not written: they follow from where the file lies.
        needs: Identities of the jobs that it needs.
        retries: How often it runs again.
    """

    spec: JobSpec
    needs: Sequence[str]
    retries: Retries

    def written(self) -> bytes:
        """The content of the file. The task is not written: whoever reads it knows the task."""
        how = {"name": self.spec.name, "payload": b2a_base64(self.spec.payload, newline=False).decode()}
        rest = {"options": self.spec.written_options(), "needs": self.needs, **self.retries._asdict()}
        return json.dumps({"schema": 1, **how, **rest}).encode() + b"\n"

    @classmethod
    def read(cls, content: bytes, identity: str, task: str, directory: str) -> KeptJob | None:
        """Read what `written` made, of the job of this identity, task and directory; None if it is damaged."""
        fields = object_in(content)
        try:
            payload = a2b_base64(fields["payload"])
            spec = JobSpec.read(identity, task, fields["name"], directory, payload, fields["options"])
            found = cls(spec, fields["needs"], Retries(*(fields[name] for name in Retries._fields)))
        except (KeyError, TypeError, ValueError):
            return None
        return found if payload and isinstance(fields["options"], dict) and found._is_sound() else None

    def _is_sound(self) -> bool:
        """Whether all facts but payload and options have the types that they must have."""
        needs = isinstance(self.needs, list) and all(isinstance(need, str) and need for need in self.needs)
        return isinstance(self.spec.name, str) and needs and self.retries.are_sound()
