"""The schemas of the JSON forms, and what is wrong with a document.

`from helpers.json_schemas import problems`.
"""

from __future__ import annotations

import json
from typing import Any

from helpers.project_files import ROOT
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

SCHEMAS = ROOT / "docs" / "reference" / "schemas"
NAMES = sorted(path.stem for path in SCHEMAS.glob("*.json"))


def read(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.json").read_text())


def strict(schema: Any, place: str) -> Any:
    """A schema that allows no field but those that it names. A job is a part of larger documents, so it is left out."""
    if isinstance(schema, list):
        return [strict(each, place) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: strict(value, key) for key, value in schema.items()}
    named = isinstance(schema.get("required"), list) and "properties" in schema
    open_ended = {"job", "reason", "execution"}  # each code has facts of its own, and so has each attempt
    return {**found, "unevaluatedProperties": False} if named and place not in open_ended else found


def validator(name: str) -> Draft202012Validator:
    schemas = {f"{each}.json": strict(read(each), "") for each in NAMES}
    registry: Any = Registry().with_resources((id, Resource.from_contents(schema)) for id, schema in schemas.items())
    return Draft202012Validator(schemas[f"{name}.json"], registry=registry)


def problems(name: str, document: Any) -> list[str]:
    """What is wrong with a document."""
    return [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(document)]
