"""The experiments of a workspace, as `xpm status --json` has them. The page has them as a document of their own."""

from __future__ import annotations

from typing import Any

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.json_form import SCHEMA, moment
from xpm_cli.output.sheets.survey_sheet import experiment_record


def experiments_document(opened: OpenWorkspace) -> dict[str, Any]:
    """The document, the latest run first."""
    return {
        "schema": SCHEMA,
        "time": moment(opened.now_s),
        "source": opened.view.server,
        "age_s": round(opened.view.age_s, 3),
        "experiments": list(map(experiment_record, opened.view.experiments())),
    }
