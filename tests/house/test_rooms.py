"""Tests mirror the rooms: a module's tests lie in the folder of its room, in a file that bears its name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from helpers.project_files import ROOT, python_files

FOLDERS = {"xpm_core": "core", "xpm_worker": "worker", "xpm_cli": "cli"}
ROOMS = {"house", "whole", "helpers", "tasks", "page"}
"""Folders of tests that are no rooms: the project itself, several rooms together, and what tests import."""

TESTED_ELSEWHERE = {
    "core/workspace/reported/results_file": ("core/job/reporting/test_results", "the job writes it, and it is read"),
    "core/results/jobs": ("core/results/test_table", "tables are made of jobs that use others"),
    "core/results/listed": ("core/results/test_table", "tables are made by it"),
    "cli/output/tables/reported": ("cli/output/sheets/test_job_sheet", "its lines are part of a job's sheet"),
    "core/workspace/reported/job_results": ("core/job/reporting/test_results", "what the job has reported is read"),
    "core/results/formats/written": ("core/results/formats/test_latex", "its methods are called for each form"),
    "core/results/plotting/drawing": ("core/results/plotting/test_plotted", "what it draws is looked at there"),
    "cli/lookup/publishing/asked_table": ("cli/commands/publishing/test_results", "it is what the command prints"),
    "cli/lookup/code/ran_code": ("cli/commands/looking/test_diff", "the code that two jobs ran is compared"),
    "cli/page/application": ("cli/page/views/test_jobs", "every view is asked for through it"),
    "cli/page/rendering": ("cli/page/views/test_jobs", "every page is made by it"),
    "cli/page/desk/orders": ("cli/page/desk/test_desk", "the desk remembers by it what was asked for"),
    "core/reading/listener": ("cli/watch/test_listener", "the screen and the page follow by it"),
    "cli/page/__main__": ("core/script/test_page_process", "scripts start it, and end or are killed"),
    "cli/page/safety/refusal": ("cli/page/safety/test_session", "its sentences are what is answered"),
    "cli/page/serving/open_page": ("cli/commands/looking/test_ui", "the command serves one, with all its parts"),
    "cli/page/results/charts": ("cli/page/views/test_curves", "charts are what the view sends"),
    "cli/page/results/tables": ("cli/page/views/test_results", "tables are what the view shows"),
    "cli/page/results/side_by_side": ("cli/page/views/test_compare", "what differs is what the view shows"),
    # It only names what others define.
    "core": ("house/test_package", "it hands on names, and each is looked for there"),
    "core/config": ("house/test_package", "it hands on names"),
    "core/identity": ("house/test_package", "it hands on names"),
    "core/language/dict_form": ("core/language/dict_form/test_dict_reader", "three functions that call its modules"),
    "core/defaults": ("house/test_documents", "numbers alone; the documents name them"),
    "core/states": ("house/test_style_lua", "words alone; the scripts write the same ones"),
    "cli": ("cli/test_app", "the list of the commands"),
    "core/errors/base": ("house/test_style_errors", "each error class is made, pickled and copied"),
    "core/errors/configuration": ("house/test_style_errors", "likewise"),
    "core/errors/experiment": ("house/test_style_errors", "likewise"),
    "core/errors/service": ("house/test_style_errors", "likewise"),
    "core/errors/results": ("house/test_style_errors", "likewise"),
    "core/errors/script": ("house/test_style_errors", "likewise"),
    "core/errors/past": ("house/test_style_errors", "likewise"),
    "core/errors/steering": ("house/test_style_errors", "likewise"),
    # It is half of a pair, and one test holds both: what one half writes, the other reads.
    "core/click/forms": ("core/click/test_click", "how a value is typed is seen in the options"),
    "core/click/naming": ("core/click/test_click", "parameters are named to make options"),
    "core/language/values/decoding": ("core/language/values/test_encoding", "what was encoded is decoded"),
    "core/wire/packer": ("core/wire/test_payload", "what was packed is unpacked"),
    "core/wire/unpacker": ("core/wire/test_form", "forged payloads are unpacked, and refused"),
    "core/wire/restorer": ("core/wire/test_part_packer", "what was written in parts comes back"),
    "core/wire/live_task": ("core/wire/test_payload", "a payload is loaded to be run"),
    "core/language/code/local_rebuilder": ("core/language/code/test_local_recorder", "records are made again"),
    "core/language/code/local_code": ("core/language/code/test_local_recorder", "the record holds what it finds"),
    "core/language/code/class_records": (
        "core/language/code/test_local_recorder",
        "the record of a class begins with it",
    ),
    "core/language/code/recorded_classes": ("core/wire/test_payload", "classes are imported where a payload is loaded"),
    "core/language/code/local_analysis": ("core/language/code/test_local_digest", "what varies was chosen"),
    "core/language/code/local_scopes": ("core/language/code/test_local_digest", "a variable of one value is no choice"),
    "core/workspace/payload_parts": ("core/wire/test_part_packer", "parts are written and read there"),
    "worker/protocol/messages": ("worker/protocol/test_codec", "each message is encoded and decoded"),
    "worker/template/rehearsal_task": ("worker/template/test_rehearsal", "it is what a rehearsal runs"),
    "core/job/output_registration": ("core/script/follow/test_watching", "what jobs register, scripts watch for"),
    "core/job/output_watch": ("core/script/follow/test_watching", "what jobs register, scripts watch for"),
    "core/server/notice": ("core/server/shared/test_server", "the server that it names is started, killed and found"),
    "core/server/shared/listening": ("core/server/shared/test_server", "a real server listens so"),
    "core/server/shared/settings_line": ("core/server/shared/test_server", "the line that a start writes"),
    "core/server/shared/status": ("core/server/shared/test_server", "each kind of server is shown"),
    "cli/output/sheets/server_sheet": ("cli/commands/upkeep/test_server", "what the command prints"),
    "core/server/embedded/record": ("core/server/embedded/test_server", "users find the server by its record"),
    "core/judging/judgement": ("core/judging/test_judge", "what is judged is what it says"),
    "core/judging/then": ("core/judging/test_judge", "what a directory says of a job is what is judged"),
    "core/forecast/records": ("core/forecast/test_forecast", "what a forecast is made of, and what it says"),
    "core/reading/survey/capacity": ("core/reading/survey/test_ends", "who may do the work that is foreseen"),
    "core/results/comparing/comparable": ("core/results/comparing/test_compared", "filters choose what is compared"),
    "core/results/folding/choosing": ("core/results/folding/test_folded", "rows are sorted, and the best are found"),
    "core/results/folding/marking": ("core/results/folding/test_folded", "rows are marked, and cells of pivots"),
    "core/results/folding/settings": ("core/results/folding/test_folded", "captions say them"),
    "core/script/sampling/sampled_job": ("core/script/sampling/test_until", "jobs are sampled"),
    "core/script/sampling/sampler": ("core/script/sampling/test_until", "jobs are sampled"),
    "core/script/rehearsal/facts": ("core/script/rehearsal/test_plan", "what is read, with a real server and without"),
    "core/script/open_run": ("core/script/test_experiment", "scripts enter, submit, wait and leave there"),
    "core/script/rehearsal/planned_job": ("core/script/rehearsal/test_plan", "it is a row of the plan"),
    "core/script/rehearsal/todays_code": (
        "whole/code/test_plans",
        "whole scripts are edited between dry runs and runs",
    ),
    "core/script/follow/tracked_job": ("core/script/follow/test_tracker", "it is a row of the tracker's table"),
    # It is small, and shows only in what uses it.
    "core/filters": ("house/test_documents", "it hands on names; the document of filters imports them"),
    "core/filters/row": ("core/filters/test_columns", "what a job lacks, and what is not known of it, are columns"),
    "core/filters/syntax": ("core/filters/test_parser", "what the parser makes is written and parsed again"),
    "core/job/inside": ("core/script/test_experiment", "an experiment inside of a job is refused"),
    "core/language/classes/subscripts": (
        "core/language/parameters/test_generics",
        "makers are generic classes with types",
    ),
    "core/language/graph/state": ("core/language/classes/test_assignment", "values are what the state holds"),
    "core/language/graph/walk": ("core/language/identity/test_seal", "sealing walks through all, in no circle"),
    "core/language/parameters/duplicate_import": ("core/errors/test_errors", "it is a part of an error"),
    "core/language/parameters/bounds": ("core/language/parameters/test_fields", "bounds are declared with fields"),
    "core/language/classes/value_classes": ("core/config/test_live_objects", "live objects are of them"),
    "core/language/parameters/object_kinds": ("core/language/values/test_data_objects", "objects are values"),
    "core/language/parameters/schema": ("core/language/classes/test_declaration", "a declaration makes the schema"),
    "core/config/base": ("core/config/test_dependencies", "tasks are submitted to be used by others"),
    "core/config/dict_methods": ("core/language/dict_form/test_dict_reader", "three methods that call its functions"),
    "core/config/task_setup": ("core/config/test_dependencies", "tasks are given dependencies there"),
    "cli/output/sheets/exchange_sheet": ("cli/commands/upkeep/test_export", "its lines are what the commands print"),
    "core/exchange/layout": ("core/exchange/importing/test_checks", "its records are forged, and refused"),
    "core/exchange/identities/values": ("core/exchange/identities/test_verifier", "any value is read and hashed"),
    "core/exchange/identities/graph": ("core/exchange/identities/test_verifier", "payloads and parts are read"),
    "core/exchange/identities/digests": ("core/exchange/identities/test_verifier", "the digests are those of classes"),
    "core/exchange/foreign/sheet": ("core/exchange/foreign/test_runs", "runs are made of sheets"),
    "core/exchange/foreign/texts": ("core/exchange/foreign/test_csv_file", "files that are no text are refused"),
    "cli/output/sheets/foreign_sheet": ("cli/commands/upkeep/test_import_foreign", "its lines are what is printed"),
    "core/exchange/exporting/selection": ("core/exchange/exporting/test_export", "what it selects is in the file"),
    "core/exchange/exporting/code": ("core/exchange/exporting/test_export", "the code is in the file"),
    "core/exchange/exporting/tables": ("core/exchange/exporting/test_export", "the lists are in the file"),
    "core/exchange/importing/contents": ("core/exchange/importing/test_checks", "what no export holds is refused"),
    "cli/output/sheets/removal_sheet": ("cli/commands/upkeep/test_gc", "its lines are what the command prints"),
    "cli/output/job_graph": ("cli/commands/looking/test_graph", "its forms are what the command prints"),
    "core/experiment_file/prepared": ("cli/commands/running/test_run", "files are prepared, run and rehearsed there"),
    "cli/output/user_traceback": ("cli/commands/running/test_run", "errors of the user's code are shown there"),
    "cli/output/event_lines": ("cli/commands/looking/test_events", "its lines are what the command prints"),
    "cli/output/tables/token_table": ("cli/commands/acting/test_tokens", "its table is what the command prints"),
    "cli/output/tables/worker_table": ("cli/commands/acting/test_workers", "its table is what the command prints"),
    "cli/output/tables/queue_table": ("cli/commands/acting/test_queues", "its table is what the command prints"),
    "cli/page/job/facts": ("cli/page/views/test_job", "its facts are what the page of a job shows"),
    "cli/page/job/printed": ("cli/page/views/test_job", "logs are read, followed and searched there"),
    "cli/page/job/code": ("cli/page/views/test_job", "the page asks for it"),
    "cli/lookup/user": ("cli/commands/acting/test_queues", "a pause says who has made it"),
    "cli/lookup/steering/orders": ("cli/commands/acting/test_workers", "workers are ordered there"),
    "cli/lookup/steering/pauses": ("cli/commands/acting/test_queues", "queues are paused and resumed there"),
    **{
        f"cli/output/documents/{name}": (
            "cli/page/api/test_routes",
            "commands and the page are compared",
        )
        for name in (
            "experiment_list",
            "happened",
            "job_list",
            "live_lists",
            "one_job",
            "reasons",
            "result_table",
            "standing",
        )
    },
    **{
        f"cli/page/acting/{name}": ("cli/page/acting/test_jobs", "from the question to the answer")
        for name in ("answers", "deeds", "plans", "refusing")
    },
    **{
        f"cli/page/api/{name}": ("cli/page/api/test_routes", "URLs are asked, rightly and wrongly")
        for name in ("answering", "asked", "events")
    },
    "cli/page/statuses": ("cli/page/api/test_routes", "errors have a status"),
    **{
        f"cli/page/export{name}": ("cli/page/export/test_writing", "whole copies are read")
        for name in ("", "/asking", "/curve_view", "/job_pages", "/result_tables")
    },
    "core/cleaning/facts": ("core/cleaning/test_plan", "plans are made of facts"),
    "core/cleaning/places": ("core/cleaning/test_plan", "links and mounts stay there, trash is seen in removals"),
    "core/cleaning/records": ("core/cleaning/test_plan", "plans are made of them"),
    "core/script/code/reused": ("whole/code/test_edits", "a script is run again after an edit"),
    "cli/lookup/code/changed_code": ("whole/code/test_edits", "jobs of real scripts run again after an edit"),
    "cli/lookup/code/accepted_code": ("whole/code/test_accept", "jobs of real scripts are accepted, and refused"),
    "cli/lookup/code/code_now": ("whole/code/test_accept", "today's code is that of a real project"),
    "core/exchange/exporting/accepted": ("core/exchange/exporting/test_export", "what was accepted is in the file"),
    "core/cleaning/code/kept": ("core/cleaning/code/test_freeing", "what is kept is seen in what may go"),
    "core/cleaning/code/naming": ("core/cleaning/code/test_freeing", "who names code is seen in what may go"),
    "core/cleaning/runs": ("core/cleaning/test_plan", "runs go, and jobs that they name stay"),
    "core/snapshot/taking/imported": ("core/snapshot/taking/test_roots", "modules of a process have roots, or none"),
    "core/snapshot/taking/taker": ("core/snapshot/taking/test_snapshotter", "it takes each snapshot of a run"),
    "core/snapshot/taking/files/walk": ("core/snapshot/taking/files/test_listing", "files are found by git or by it"),
    "core/limits": ("core/wire/test_form", "what is over a limit is refused there"),
    "core/scalars": ("core/language/values/test_kinds", "numbers of numpy are given to parameters"),
    "core/project/repository": ("core/project/test_origin", "a checkout names the project of a class"),
    "core/workspace/kept_job": ("core/workspace/test_job_spec", "its file is compared to fixed bytes"),
    "core/workspace/files": ("core/workspace/test_job_directory", "records are written by it"),
    "core/tracebacks/callsite": ("core/tracebacks/test_edges", "the user's line is told from ours"),
    "core/hooks": ("core/hooks/test_calls", "it only names what its modules have"),
    "core/hooks/facts": ("worker/slot/hooks/test_job_hooks", "what hooks of a real worker are told"),
    "core/script/announce/apprise_process": (
        "core/script/announce/test_sending",
        "it runs with a fake apprise",
    ),
    "core/script/ending": ("core/script/show/test_leaving", "what is said when a block ends"),
    "core/script/this_process": ("core/script/test_local_workers", "a script starts as many workers as it has CPUs"),
    "core/project/toml_files": ("core/project/test_settings", "settings that are wrong are named with their lines"),
    "core/project/variables": ("cli/commands/upkeep/test_config", "the command lists them"),
    "cli/output/tables/settings_table": ("cli/commands/upkeep/test_config", "what the command prints"),
    "core/server/address": ("core/project/test_settings", "which file names the server"),
    "core/server/fitness": ("core/server/test_connection", "servers that do not answer, or are not fit, are refused"),
    "core/server/probe": ("core/server/test_faults", "what a server says before it hangs up"),
    "core/cluster/slurm": ("worker/test_walltime", "the end of an allocation is the end of a worker"),
    "core/script/live/notebook": (
        "whole/scripts/test_notebook_display",
        "its output is below a cell",
    ),
    "core/script/live/terminal": ("core/script/live/test_display", "its lines are read from a real terminal"),
    "core/tracebacks/prompt": ("whole/scripts/test_notebook", "a notebook and a prompt are processes of their own"),
    "core/script/show/run_log": (
        "core/script/follow/test_callbacks",
        "what a callback raises is in the log",
    ),
    "core/script/submit/listings": ("core/script/submit/test_submitter", "directories that came or went are noticed"),
    "core/script/submit/pending": ("core/script/submit/test_submitter", "a submission is one until it is answered"),
    "core/store/connector": ("core/server/test_connection", "it keeps the connections that are opened there"),
    "core/store/keys": ("house/test_style_lua", "keys that Python and Lua build are compared"),
    "core/reading/reader": ("core/reading/test_events", "each part of it is read through it"),
    "core/reading/jobs": ("core/store/test_jobs", "what a transition leaves behind is read"),
    "core/reading/experiments": ("cli/commands/looking/test_status", "experiments are listed there"),
    "core/reading/tokens": ("core/store/test_tokens", "what is held and who waits is read"),
    "core/reading/workers": ("cli/commands/looking/test_status", "workers are listed there, also silent ones"),
    "core/reading/offline": ("core/reading/test_look", "what the files say without a server"),
    "core/reading/past/tasks": ("core/reading/past/test_runs", "tasks are what a run has"),
    "core/reading/past/old_classes": ("core/reading/past/test_configurations", "a process of its own reads them there"),
    "core/reading/past/sources": ("core/reading/past/test_configurations", "who is believed, and who is not"),
    "core/snapshot/private_copy": ("cli/commands/acting/test_reproduce", "the code of a job is copied to be run"),
    "core/reproduction/folder": ("cli/commands/acting/test_reproduce", "it is written, moved, and run in"),
    "core/reproduction/facts": ("cli/commands/acting/test_reproduce", "jobs whose code was kept, or was not"),
    "cli/output/sheets/reproduction_sheet": ("cli/commands/acting/test_reproduce", "what the command prints"),
    "cli/lookup/job_environment": ("cli/commands/acting/test_debug", "variables of the job, without secrets"),
    "core/reading/listing/row": ("core/reading/test_look", "rows are what a list is made of"),
    "core/reading/listing/known_jobs": ("core/reading/test_look", "jobs that index or server lack are seen there"),
    "core/reading/listing/listing": ("core/reading/test_look", "lists are filtered, sorted and cut there"),
    "core/reading/listing/states": ("core/reading/test_look", "lists of states that are not believed"),
    "core/reading/listing/job_names": ("core/reading/test_look", "each kind of name is looked up there"),
    "core/index/flat_form": ("core/index/test_parameters", "it says what a task in one level says"),
    "core/index/folders": ("core/index/test_merged", "files of the index are found in its folders"),
    "core/reading/server": ("core/store/test_clock", "the server's clock is set and read"),
    "cli/output/sheets/survey_sheet": ("cli/commands/looking/test_status", "its lines and its JSON form are printed"),
    "cli/output/job_record": ("cli/output/test_json_form", "records are what the schema says"),
    "cli/lookup/selection": ("cli/commands/looking/test_jobs", "each option selects jobs there"),
    "cli/lookup/publishing/attempts": ("cli/commands/publishing/test_checklist", "attempts are counted there"),
    "cli/lookup/publishing/tried": ("cli/commands/publishing/test_checklist", "what varies, and what was given up"),
    "cli/lookup/publishing/cited": ("cli/commands/publishing/test_cite", "numbers are named, well and badly"),
    "cli/lookup/publishing/folding": ("cli/commands/publishing/test_results", "its options are typed"),
    "cli/output/publishing/checklist_facts": (
        "cli/commands/publishing/test_checklist",
        "the facts are printed as JSON",
    ),
    "cli/output/publishing/checklist_page": ("cli/commands/publishing/test_checklist", "the page is what is printed"),
    "cli/output/publishing/citation_facts": ("cli/commands/publishing/test_cite", "the facts are printed as JSON"),
    "cli/output/publishing/citation_sheet": (
        "cli/commands/publishing/test_cite",
        "its lines are what the command prints",
    ),
    "cli/output/publishing/result_lines": ("cli/commands/publishing/test_results", "its lines are what is printed"),
    "cli/lookup/acts": ("cli/commands/acting/test_retry", "each result is said there, and in test_cancel"),
    "cli/lookup/targets": ("cli/commands/acting/test_cancel", "what is asked and what is done is seen there"),
    "core/store/records": ("core/store/test_jobs", "what goes to the scripts and what comes back"),
    "core/reading/why/avoided": ("core/store/test_refusals", "which daemons lack what, as refusals make it"),
    "core/reading/why/facts": ("core/reading/why/test_reader", "what the scripts return, in each situation"),
    "core/reading/why/records": ("cli/output/sheets/test_why_sheet", "the records, as they are printed"),
    "core/diagnosis/findings": ("cli/commands/upkeep/test_doctor", "findings are what the doctor prints"),
    "core/diagnosis/patient": ("core/diagnosis/jobs/test_markers", "facts are read anew before a marker is written"),
    "core/diagnosis/jobs/seen": ("core/diagnosis/jobs/test_markers", "damaged markers are seen as such"),
    "core/diagnosis/jobs/lists": ("core/diagnosis/jobs/test_index", "lists that are not whole, beside the index"),
    "cli/output/sheets/finding_lines": ("cli/commands/upkeep/test_doctor", "its lines are what the command prints"),
    "cli/lookup/script_objects": (
        "cli/commands/looking/test_diff",
        "only this command takes names of a script's objects",
    ),
    # It is a process, or a part of one, which tests see from outside.
    "worker/__main__": ("worker/test_cli", "`python -m xpm_worker` is typed there"),
    "worker/settings": ("worker/test_cli", "what the command line says, as fields"),
    "worker/job/interruption/caught": ("worker/job/interruption/test_handler", "whether TaskCancelled was swallowed"),
    "worker/job/interruption/loop_end": (
        "worker/job/interruption/test_handler",
        "jobs in a loop of asyncio are told to end, too",
    ),
    "worker/job/import_errors": ("worker/job/test_main", "jobs whose code cannot be imported say why"),
    "worker/job/reports": ("worker/starter/test_main", "what a job says is heard by its starter"),
    "worker/job/streams": ("worker/job/test_main", "jobs print, and close what they print to"),
    "cli/completion/command_table": ("cli/completion/test_candidates", "words are found in it"),
    "cli/completion/values": ("cli/completion/test_candidates", "words of each kind are proposed"),
    "cli/commands/upkeep/completion": ("cli/completion/test_shells", "shells load what it prints"),
    "cli/lookup/find_workspace": ("cli/lookup/test_open_workspace", "commands look there"),
    "core/completion/names": ("core/completion/test_known_names", "the file holds them"),
    "core/completion/names_file": ("core/completion/test_known_names", "it is written and read there"),
    "core/script/code/live_trees": ("core/script/code/test_run_code", "live code is described with its roots"),
    "core/foreground/debugger": ("cli/commands/acting/test_debug", "it opens where a job of the command fails"),
    "core/foreground/main": ("cli/commands/acting/test_debug", "the command goes on as this process"),
    "core/foreground/reports": ("cli/commands/acting/test_debug", "what a job reports is printed"),
    "core/foreground/scratch": ("cli/commands/acting/test_debug", "the command makes such a folder"),
    "cli/lookup/code/job_code": ("cli/output/code/test_code_lines", "the code of jobs in each state is shown"),
    "cli/lookup/sealed_job": ("cli/commands/acting/test_debug", "the command is refused without one"),
    "core/snapshot/trees/build": ("core/snapshot/trees/test_trees", "a tree is built when it is opened"),
    "core/snapshot/trees/bytecode": ("core/snapshot/trees/test_trees", "a tree is compiled when it is built"),
    "core/snapshot/trees/checks": ("core/snapshot/trees/test_trees", "a tree that was changed is not served"),
    "core/snapshot/trees/host_folder": ("core/snapshot/trees/test_trees", "folders of others are refused"),
    "core/fingerprints/source/effects": ("core/fingerprints/test_configurations", "an effect stays one, or is none"),
    "core/fingerprints/source/dynamic": ("core/fingerprints/source/test_names", "calls are told by its lists"),
    "core/snapshot/trees/removal": ("core/snapshot/trees/test_trees", "an unused tree goes, one in use stays"),
    "core/tracebacks/user_frames": ("worker/job/test_failure", "the frames of a failure are the user's, or not"),
    "worker/job/user_code": ("worker/template/test_main", "templates import what jobs have imported of packages"),
    "worker/job/trace/audit": ("worker/job/trace/test_tracing", "real jobs open files and start processes"),
    "worker/job/standby": ("worker/starter/test_standbys", "the same processes as the starter sees them"),
    "worker/slot/lease_check": ("whole/experiments/test_forged", "leases that somebody forged are refused"),
    "worker/slot/main": ("worker/test_daemon", "a slot is what a daemon starts"),
    "worker/slot/runner": ("worker/job/test_main", "from a lease to its end, with real jobs"),
    "worker/slot/starter_link": ("whole/faults/test_workers", "starters are killed, and another one is asked for"),
    "worker/slot/store_calls": ("worker/slot/test_claimer", "calls are repeated while the server is away"),
    "worker/starter/launch": ("worker/starter/test_standbys", "processes are started ahead"),
    "worker/system/kernel": ("worker/system/test_processes", "orphans are adopted, and descendants found"),
}
"""Modules without a test file of their name: the file that tests each, and why."""


def modules() -> dict[str, Path]:
    """The modules of the three packages, as the folders of tests name them; an `__init__` that is only text is none."""
    found: dict[str, Path] = {}
    for path in python_files():
        package, *rest = path.relative_to(ROOT).with_suffix("").parts
        if rest[-1] != "__init__":
            found["/".join([FOLDERS[package], *rest])] = path
        elif len(ast.parse(path.read_text()).body) > 1:
            found["/".join([FOLDERS[package], *rest[:-1]])] = path
    return found


def own_file(module: str, path: Path) -> Path:
    """Where the tests of a module lie when they have a file of their own."""
    folder = module if path.name == "__init__.py" else module.rpartition("/")[0]
    return ROOT / "tests" / folder / f"test_{module.rpartition('/')[2]}.py"


def misplaced(found: dict[str, Path], elsewhere: dict[str, tuple[str, str]]) -> list[str]:
    """What is wrong with a list of modules that are tested elsewhere."""
    wrong = [f"{module}: no such module; take it from the list" for module in elsewhere if module not in found]
    for module, path in found.items():
        has = own_file(module, path).exists()
        if has and module in elsewhere:
            wrong.append(f"{module}: has a test file of its own; take it from the list")
        if not has and module not in elsewhere:
            wrong.append(f"{module}: no {own_file(module, path).relative_to(ROOT)}; write it, or list what tests it")
    tests = {test for test, _ in elsewhere.values()}
    return wrong + [f"{test}: no such file of tests" for test in tests if not (ROOT / "tests" / f"{test}.py").exists()]


def test_each_module_has_a_test_file_of_its_name_or_is_listed() -> None:
    assert misplaced(modules(), TESTED_ELSEWHERE) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"core/nowhere": ("house/test_rooms", "x")}, "core/nowhere: no such module"),
        ({"core/errors": ("house/test_rooms", "x")}, "core/errors: has a test file of its own"),
        ({"core/states": ("house/test_nothing", "x")}, "house/test_nothing: no such file"),
        ({"core/states": None}, "core/states: no tests/core/test_states.py"),
    ],
)
def test_a_list_that_is_wrong_is_noticed(changes: dict[str, tuple[str, str] | None], problem: str) -> None:
    changed = {module: entry for module, entry in (TESTED_ELSEWHERE | changes).items() if entry is not None}
    [said] = set(misplaced(modules(), changed)) - set(misplaced(modules(), TESTED_ELSEWHERE))
    assert said.startswith(problem)


def test_each_folder_of_tests_is_a_room_or_known() -> None:
    rooms = {"/".join([FOLDERS[place.parts[0]], *place.parts[1:-1]]) for place in map(relative, python_files())}
    folders = {path.parent.relative_to(ROOT / "tests").as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
    assert {folder for folder in folders if folder.partition("/")[0] not in ROOMS} <= rooms


def unnamed(document: str) -> list[str]:
    """The rooms that no row of a table in docs/internals/rooms.md names: those of the packages, and of rooms that have
    a table of their own.
    """
    named: dict[str, set[str]] = {}
    for table in re.findall(r"^\| room of `(\S+)` .*\n((?:\|.*\n)+)", document, re.MULTILINE):
        firsts = [row.split("|")[1] for row in table[1].splitlines()]
        named.setdefault(table[0], set()).update(name for first in firsts for name in re.findall(r"`(\w+)`", first))
    folders = {place.parent for place in map(relative, python_files()) if place.name == "__init__.py"}
    rooms = sorted(folder for folder in folders if folder.parent.as_posix() in named)
    return [place.as_posix() for place in rooms if place.name not in named[place.parent.as_posix()]]


def test_each_room_stands_in_the_table_of_rooms() -> None:
    document = (ROOT / "docs" / "internals" / "rooms.md").read_text()
    assert unnamed(document) == []
    lost = "\n".join(line for line in document.splitlines() if not line.startswith(("| `hooks`", "| `desk`")))
    assert unnamed(lost) == ["xpm_cli/page/desk", "xpm_core/hooks"]


def relative(path: Path) -> Path:
    return path.relative_to(ROOT)


def test_a_file_of_tests_has_tests() -> None:
    files = (ROOT / "tests").rglob("test_*.py")
    assert [path.name for path in files if "\ndef test_" not in path.read_text()] == []
