"""A JSON schema of an experiment's file (draft 2020-12), for editors: https://json-schema.org."""

from __future__ import annotations

from pathlib import Path

from xpm_core.experiment_file import function
from xpm_core.experiment_file.content import merging
from xpm_core.experiment_file.content.header import MOST_WORKERS, target_of
from xpm_core.experiment_file.content.keys import KEYS
from xpm_core.experiment_file.type_schemas import TEXT, Form, SchemaWriter
from xpm_core.language.classes.parameter_help import help_of
from xpm_core.script.code.choice import CHOICES

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAME: Form = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"}
TEXTS: Form = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
KEY_FORMS: dict[str, Form] = {
    "workspace": TEXT,
    "experiment": NAME,
    "run": TEXT,
    "base": TEXTS,
    "pythonpath": TEXTS,
    "workers": {"type": ["integer", "null"], "minimum": 0, "maximum": MOST_WORKERS},
    "queue": NAME,
    "env": {"type": ["object", "null"], "additionalProperties": {"type": ["string", "integer"]}},
    "code": {"enum": list(CHOICES)},
}


def schema_of(file: Path) -> Form:
    """The schema of a file, by the configuration that its function takes. The values of the file are not looked at.

    Raises:
        ConfigurationError: The file cannot be read, or the function cannot be used.
    """
    found = function.load(target_of(merging.read(file)))
    return schema(found.config)


def schema(cls: type | None) -> Form:
    """The schema of files for a function that takes configurations of a class; None if it takes none.

    A file with a `base` may leave out what is required, because a base can give it.
    """
    writer = SchemaWriter()
    properties = {key: {"description": KEYS[key], **form} for key, form in KEY_FORMS.items()}
    whole: Form = {"required": ["workspace", "experiment"]}
    part: Form = {}
    if cls is not None:
        whole["properties"] = {"config": writer.configuration(cls, whole=True)}
        part["properties"] = {"config": {"anyOf": [writer.configuration(cls, whole=False), {"type": "null"}]}}
        if any(each.required for each in help_of(cls)):
            whole["required"].append("config")
        else:
            whole["properties"]["config"] = {"anyOf": [whole["properties"]["config"], {"type": "null"}]}
        properties["config"] = {"description": KEYS["config"]}
    return {
        "$schema": DIALECT,
        "title": "An experiment of xpm",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "if": {"required": ["base"]},
        "then": part,
        "else": whole,
        **({"$defs": writer.definitions} if writer.definitions else {}),
    }
