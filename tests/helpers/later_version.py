"""A later version of xpm, for tests: one more option has come to jobs, `flavour`. Nothing else was changed.

`python -m helpers.later_version` is the `xpm-worker` of that version; it logs the flavour of each job that it gets.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from xpm_core.workspace import job_spec


@dataclass(frozen=True)
class JobOptions(job_spec.JobOptions):
    flavour: str = job_spec.option(lambda value: isinstance(value, str), "a text", default="")


def main() -> None:
    """Be a worker of that version."""
    job_spec.JobOptions = JobOptions  # type: ignore[misc]
    from xpm_worker import cli
    from xpm_worker.slot import lease_check

    check = lease_check.check

    def check_and_log(lease: Any, *rest: Any) -> Any:
        logging.getLogger("later").warning("flavour %s", lease.spec.options.flavour)
        return check(lease, *rest)

    lease_check.check = check_and_log
    cli.main(prog_name="xpm-worker")


if __name__ == "__main__":
    main()
