"""An earlier version of xpm, for tests: jobs had no snapshot and no provenance then. Nothing else was changed.

`python -m helpers.earlier_version` is the `xpm-worker` of that version.
"""

from __future__ import annotations

from xpm_core.workspace import job_spec

NEW = ("snapshot", "provenance")


def main() -> None:
    """Be a worker of that version."""
    for name in NEW:
        del job_spec.JobOptions.__dataclass_fields__[name]
    from xpm_worker import cli

    cli.main(prog_name="xpm-worker")


if __name__ == "__main__":
    main()
