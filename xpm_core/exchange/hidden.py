"""What must not leave a workspace: values of variables and options with a secret name, and passwords in URLs."""

from __future__ import annotations

from typing import Any

import msgpack

from xpm_core.job.script_arguments import without_passwords
from xpm_core.language.values.encoding import pack
from xpm_core.snapshot.facts import secrets
from xpm_core.workspace.kept_job import KeptJob


def hide(job: KeptJob, arguments: list[bytes]) -> tuple[KeptJob, list[str]]:
    """A job without its secrets, and without its signature, which holds in its own workspace only.

    Args:
        job: The job.
        arguments: The arguments of its script.

    Returns:
        The job, and the names of the variables and options whose values were taken away.
    """
    env = dict(job.spec.options.env)
    names = sorted(name for name, value in env.items() if secrets.variable(name, value) != value)
    options = {name: value for name, value in job.spec.options.written.items() if name != "env"}
    options["env"] = {name: value for name, value in env.items() if name not in names}
    safe, secret = _without_secrets(arguments)
    payload = _with_arguments(job.spec.payload, safe) if safe != arguments else job.spec.payload
    spec = job.spec._replace(payload=payload, options=type(job.spec.options).read(options), signature="")
    return job._replace(spec=spec), [*names, *secret]


def _without_secrets(arguments: list[bytes]) -> tuple[list[bytes], list[str]]:
    """Arguments with `***` for what may be secret, and the names of the options."""
    words = [each.decode("utf-8", "surrogatepass") for each in arguments]
    shown = secrets.arguments(words)
    names: list[str] = []
    for before, word, safe in zip(["", *words], words, shown, strict=False):
        if word != safe and secrets.HIDDEN not in word:  # else it was hidden before
            name, equals, _ = word.partition("=")
            names.append(name if equals else before if before.startswith("-") else "an argument")
    return [word.encode("utf-8", "surrogatepass") for word in shown], names


def _with_arguments(payload: bytes, arguments: list[bytes]) -> bytes:
    """A payload with other arguments, which are no part of its identity."""
    content = msgpack.unpackb(payload, strict_map_key=False, unicode_errors="surrogatepass", max_ext_len=len(payload))
    return pack({**content, "argv": arguments})


def scrubbed(value: Any) -> Any:
    """A value of JSON without the passwords of URLs in its texts."""
    if isinstance(value, str):
        return without_passwords(value)
    if isinstance(value, dict):
        return {name: scrubbed(each) for name, each in value.items()}
    return [scrubbed(each) for each in value] if isinstance(value, list) else value
