"""The command `xpm`: look at a workspace, and act on its jobs.

Owns: what people type and see. Reads and acts through `xpm_core`; one file a command.
"""

from __future__ import annotations

import click

from xpm_cli.app import Program, common_options

__all__ = ["main"]


@click.group("xpm", cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@common_options
def main() -> None:
    """Look at the jobs of a workspace, and act on them.

    A JOB is named by the first characters of its identity (3f2a91c), by task/characters (train/3f2a), by tags that only
    it has (model=svm,lr=0.1), by its directory, or by `last` or `failed`: the one that something happened to last, the
    newest that failed.

    The workspace is DIR or NAME, else XPM_WORKSPACE, else the current directory or the nearest one above that is a
    workspace, else the only one in a folder of the current directory, else the one in your settings.
    Its server is URL, else XPM_REDIS_URL, else a settings file's, else the workspace's own. xpm config shows both.
    """


Program.homes = {
    "run": ("xpm_cli.commands.running.run", "Run the experiment that a YAML file describes."),
    "status": ("xpm_cli.commands.looking.status", "Show how a workspace stands, and what needs you."),
    "ui": ("xpm_cli.commands.looking.ui", "Show the workspace in a browser."),
    "jobs": ("xpm_cli.commands.looking.jobs", "List jobs."),
    "show": ("xpm_cli.commands.looking.show", "Show one job: its parameters, what it needs, how it went."),
    "why": ("xpm_cli.commands.looking.why", "Say why a job does not run, and what to do."),
    "logs": ("xpm_cli.commands.looking.logs", "Print what jobs have printed."),
    "results": ("xpm_cli.commands.publishing.results", "Print a table of what jobs have reported."),
    "plot": ("xpm_cli.commands.publishing.plot", "Plot the result Y against X, or curves of metrics."),
    "cite": ("xpm_cli.commands.publishing.cite", "Trace a number back to jobs, code, data and commands."),
    "checklist": ("xpm_cli.commands.publishing.checklist", "List what a paper must state of an experiment."),
    "events": ("xpm_cli.commands.looking.events", "List what has happened."),
    "debug": ("xpm_cli.commands.acting.debug", "Run one job here, in the foreground, in a scratch folder."),
    "reproduce": (
        "xpm_cli.commands.acting.reproduce",
        "Run a finished job again with the code that it ran with, and compare what it writes.",
    ),
    "tensorboard": ("xpm_cli.commands.running.tensorboard", "Show the jobs of an experiment in TensorBoard."),
    "wait": ("xpm_cli.commands.looking.wait", "Wait until jobs have ended."),
    "tokens": ("xpm_cli.commands.acting.tokens", "List the tokens, and set how many units one has."),
    "workers": ("xpm_cli.commands.acting.workers", "List the workers, and order them to leave."),
    "queues": ("xpm_cli.commands.acting.queues", "List the queues, and pause them."),
    "cancel": ("xpm_cli.commands.acting.cancel", "Cancel jobs that have not ended."),
    "retry": ("xpm_cli.commands.acting.retry", "Run jobs again that have ended."),
    "accept": (
        "xpm_cli.commands.acting.accept",
        "Say that results of done jobs still stand with the code and the data of now.",
    ),
    "graph": ("xpm_cli.commands.looking.graph", "Show which jobs of an experiment need which."),
    "diff": ("xpm_cli.commands.looking.diff", "List the parameters that make two identities differ, or the code."),
    "gc": ("xpm_cli.commands.upkeep.gc", "Remove what nobody needs any more."),
    "export": ("xpm_cli.commands.upkeep.export", "Write an experiment into a file: records, results and code."),
    "import": ("xpm_cli.commands.upkeep.import_", "Take in an experiment that somebody has exported."),
    "completion": ("xpm_cli.commands.upkeep.completion", "Print a script for bash, zsh or fish."),
    "config": ("xpm_cli.commands.upkeep.config", "Show the settings that hold, and where each comes from."),
    "server": ("xpm_cli.commands.upkeep.server", "Start, stop or show the server that several machines share."),
    "doctor": ("xpm_cli.commands.upkeep.doctor", "Look for faults of a workspace, and mend them."),
}
