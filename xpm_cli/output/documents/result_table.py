"""The document of `xpm results --json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.lookup.publishing.asked_table import Shown
from xpm_cli.output.json_form import SCHEMA, moment
from xpm_cli.output.publishing.result_lines import as_data


def results_document(
    opened: OpenWorkspace, experiment: str, found: Shown, form: str, notes: Sequence[str]
) -> dict[str, Any]:
    """The document.

    Args:
        opened: The workspace.
        experiment: The experiment.
        found: The table.
        form: What a row is: jobs, folded or pivot.
        notes: What one should know of the table.
    """
    data = as_data(found)
    return {
        "schema": SCHEMA,
        "time": moment(opened.now_s),
        "source": opened.view.server,
        "age_s": round(min(opened.view.age_s, opened.now_s), 3),  # infinite if the files know of no job
        "experiment": experiment,
        **{name: value for name, value in data.items() if name != "rows"},
        "form": form,
        "notes": list(notes),
        "rows": data["rows"],
    }
