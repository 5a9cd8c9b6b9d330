"""What must not leave a workspace: values of variables and options with a secret name, and passwords in URLs."""

from __future__ import annotations

from typing import Any

import msgpack

from xpm_core.job.script_arguments import without_passwords
from xpm_core.language.values.encoding import pack
from xpm_core.workspace.kept_job import KeptJob

WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD")
"""The value of a name that contains one of these is hidden."""
HIDDEN = "***"


def is_secret(name: str) -> bool:
    """Whether the value of a variable or option may be secret, by its name."""
    return any(word in name.upper() for word in WORDS)


def hide(job: KeptJob, arguments: list[bytes]) -> tuple[KeptJob, list[str]]:
    """A job without its secrets, and without its signature, which holds in its own workspace only.

    Args:
        job: The job.
        arguments: The arguments of its script.

    Returns:
        The job, and the names of the variables and options whose values were taken away.
    """
    env = dict(job.spec.options.env)
    names = sorted(name for name, value in env.items() if is_secret(name) or without_passwords(value) != value)
    options = {name: value for name, value in job.spec.options.written.items() if name != "env"}
    options["env"] = {name: value for name, value in env.items() if name not in names}
    shown, secret = _without_secrets(arguments)
    payload = _with_arguments(job.spec.payload, shown) if secret else job.spec.payload
    spec = job.spec._replace(payload=payload, options=type(job.spec.options).read(options), signature="")
    return job._replace(spec=spec), [*names, *secret]


def _without_secrets(arguments: list[bytes]) -> tuple[list[bytes], list[str]]:
    """Arguments with `***` for what may be secret, and the names of the options."""
    found: list[bytes] = []
    names: list[str] = []
    hides_next = False
    for each in arguments:
        word = each.decode("utf-8", "surrogatepass")
        name, equals, value = word.partition("=")
        if hides_next and not word.startswith("-"):
            word, hides_next = HIDDEN, False
        elif is_secret(name) and (name.startswith("-") or equals):
            names.append(name)
            word, hides_next = (f"{name}={HIDDEN}", False) if equals and value else (word, not equals)
        else:
            word, hides_next = without_passwords(word), False
            if word.encode("utf-8", "surrogatepass") != each:
                names.append(name if equals else "an argument")
        found.append(word.encode("utf-8", "surrogatepass"))
    return found, names


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
