"""The command `xpm`: look at a workspace, and act on its jobs.

Owns: what people type and see. Reads and acts through `xpm_core`; one file a command.
"""

from __future__ import annotations

import click

from xpm_cli.app import Program, common_options
from xpm_cli.commands.cancel import cancel
from xpm_cli.commands.diff import diff
from xpm_cli.commands.logs import logs
from xpm_cli.commands.retry import retry
from xpm_cli.commands.show import show
from xpm_cli.commands.status import status
from xpm_cli.commands.why import why

__all__ = ["main"]


@click.group("xpm", cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@common_options
def main() -> None:
    """Look at the jobs of a workspace, and act on them.

    A JOB is named by the first characters of its identity (3f2a91c), by task/characters (train/3f2a), by its
    directory, or by `last` or `failed`: the newest one, the newest that failed.

    The workspace is DIR, else XPM_WORKSPACE, else the current directory or the nearest one above that is a workspace.
    Its server is URL, else XPM_REDIS_URL, else a settings file's, else the workspace's own.
    """


for command in (status, show, why, logs, diff, cancel, retry):
    main.add_command(command)
