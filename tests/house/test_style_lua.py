"""The rules for Lua: headers are true, keys are built in one place, and Python knows the words."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

import pytest
from helpers.project_files import files, modules, place
from lupa.lua51 import LuaRuntime

from xpm_core.reading.listing.states import AFTER, BEFORE
from xpm_core.states import Event, State
from xpm_core.store import keys

LINES = 80
FOLDER = "xpm_core/store/lua"
FILES = files(".lua", FOLDER)
SCRIPTS = [path for path in FILES if path.parent.name == "lua"]
INCLUDES = {path.stem: path for path in FILES if path.parent.name == "include"}

HEADER = re.compile(
    r"\A(?:#!lua[^\n]*\n)?--\[\[ (?P<name>\w+): [^\n]*\n\n(?P<text>.*?)\n\]\]\n(?P<body>.*)\Z", re.DOTALL
)
LISTED = re.compile(r"^(KEYS|ARGV)\[(\d+|\.\.\.)\] +\S", re.MULTILINE)
CODE = re.compile(r"^ +(-?\d+) +([A-Z_]{2,})\b", re.MULTILINE)
INCLUDE = re.compile(r"^-- include: *(.+)$", re.MULTILINE)
NAME_LINE = re.compile(r"local [\w, ]+ = (?:(?:KEYS|ARGV)\[\d+\](?:, )?)+|local [\w, ]+ = unpack\((?:KEYS|ARGV)\)")
STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")

EVENT_WORDS = [
    re.compile(r"events\.(?:tell|worker|queue)\([^,']+, '(\w+)'"),
    re.compile(r"\bhow [=~]= '(\w+)'"),
]
STATE_WORDS = [
    re.compile(r"(?:\bstate|\bto|\bfrom) [=~]= '(\w+)'"),
    re.compile(r"jobs\.move\([^,]+, [^,]+, '(\w+)'"),
    re.compile(r"executions\.finish\([^,]+, [^,]+, '\w+', '(\w+)'"),
]


def code_of(source: str) -> str:
    """A Lua source without its comments."""
    return re.sub(r"--[^\n]*", "", re.sub(r"--\[\[.*?\]\]", "", source, flags=re.DOTALL))


def included(source: str) -> set[str]:
    """The includes of a source, and theirs."""
    direct = {name for line in INCLUDE.findall(source) for name in line.split()}
    return direct.union(*(included(INCLUDES[name].read_text()) for name in direct & set(INCLUDES)))


def enums() -> dict[str, type[IntEnum]]:
    """The enums of result codes, by the name of their script: ClaimCode is claim's."""
    found = {}
    for module in map(importlib.import_module, (name for name in modules() if name.startswith("xpm_core.store."))):
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, IntEnum) and name.endswith("Code"):
                found[re.sub(r"(?<!^)(?=[A-Z])", "_", name.removesuffix("Code")).lower()] = value
    return found


def header_problems(name: str, source: str) -> Iterator[str]:
    """What is wrong with the header of a script, or with how its body takes KEYS and ARGV."""
    match = HEADER.match(source)
    if match is None:
        yield "no header: --[[ name: what it does. (a blank line, and the rest as STYLE has it)"
        return
    if match["name"] != name:
        yield f"the header says {match['name']}"
    for word in ("Returns", "Invariant", "Cost", "Safe to repeat:"):
        if word not in match["text"]:
            yield f"the header has no {word!r}"
    body = code_of(match["body"]).strip().splitlines()
    named = 0
    while named < len(body) and NAME_LINE.fullmatch(body[named].strip()):
        named += 1
    for line in body[named:]:
        if bare := re.search(r"\b(?:KEYS|ARGV)\[\d+\]|unpack\((?:KEYS|ARGV)\)", line):
            yield f"{bare[0]} after the lines that name them"
    for kind in ("KEYS", "ARGV"):
        yield from _argument_problems(kind, match["text"], "\n".join(body[:named]), "\n".join(body[named:]))


def _argument_problems(kind: str, header: str, names: str, rest: str) -> Iterator[str]:
    listed = [index for found, index in LISTED.findall(header) if found == kind]
    counted = [index for index in listed if index != "..."]
    if counted != [str(index + 1) for index in range(len(counted))]:
        yield f"{kind} are listed as {', '.join(listed)}"
    used = {index for found, index in re.findall(r"\b(KEYS|ARGV)\[(\d+)\]", names) if found == kind}
    if unpacked := re.search(rf"local ([\w, ]+) = unpack\({kind}\)", names):
        used |= {str(index + 1) for index in range(len(unpacked[1].split(",")))}
    if used != set(counted):
        yield f"{kind}: {sorted(counted)} listed, {sorted(used)} used"
    if (kind in rest) != ("..." in listed):
        yield f"{kind}[...] is {'not ' if '...' in listed else ''}used, and {'' if '...' in listed else 'not '}listed"


def reply_problems(name: str, source: str) -> Iterator[str]:
    """Where the codes in a header and the enum in Python differ."""
    listed = {word: int(code) for code, word in CODE.findall(source.split("\n]]")[0].partition("Returns")[2])}
    enum = enums().get(name)
    known = {member.name: member.value for member in enum} if enum else {}
    if listed != known and (enum or len(listed) > 1):
        yield f"the header lists {listed}, {enum.__name__ if enum else 'no enum in Python'} has {known}"


def piece_problems(name: str, source: str) -> Iterator[str]:
    """What is wrong with any Lua file, script or include."""
    if (lines := source.count("\n")) > LINES:
        yield f"{lines} lines, there may be {LINES}"
    for text in STRING.findall(code_of(source)):
        if re.match(r".(?:xpm|rq):", text) and name != "keys":
            yield f"builds a key: {text}"
    known = included(source)
    for unknown in known - set(INCLUDES):
        yield f"includes {unknown}, which is not there"
    used = set(re.findall(r"\b(\w+)[.]\w+", STRING.sub("''", code_of(source)))) & set(INCLUDES)
    local = set(re.findall(r"\blocal (?:function )?([\w, ]+)", code_of(source)))
    own = {word.strip() for words in local for word in words.split(",")} | {name}
    for missing in used - known - own:
        yield f"uses {missing}, and does not include it"


def word_problems(name: str, source: str) -> Iterator[str]:
    """Words of states and events that states.py does not have."""
    code = code_of(source)
    for kind, patterns in ((State, STATE_WORDS), (Event, EVENT_WORDS)):
        for word in {word for pattern in patterns for word in pattern.findall(code)}:
            if word not in [member.value for member in kind]:
                yield f"{word!r} is no {kind.__name__}"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_header_tells_what_the_script_takes_and_answers(path: Path) -> None:
    source = path.read_text()
    assert [*header_problems(path.stem, source), *reply_problems(path.stem, source)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_is_short_builds_no_keys_and_uses_known_words(path: Path) -> None:
    source = path.read_text()
    assert [*piece_problems(path.stem, source), *word_problems(path.stem, source)] == [], place(path)


@pytest.mark.parametrize("path", INCLUDES.values(), ids=lambda path: path.stem)
def test_include_begins_with_what_it_is_for(path: Path) -> None:
    assert path.read_text().startswith("-- ")


def test_every_enum_of_codes_has_its_script() -> None:
    assert set(enums()) <= {path.stem for path in SCRIPTS}


def test_every_state_is_met_by_some_script() -> None:
    code = "\n".join(code_of(path.read_text()) for path in FILES)
    assert {word for pattern in STATE_WORDS for word in pattern.findall(code)} >= {"ready", "running", "done", "failed"}
    assert [state.value for state in State if f"'{state.value}'" not in code] == []


def lua_keys() -> tuple[dict[str, str], dict[str, tuple[list[str], str]]]:
    """What include/keys.lua builds: its constants, and each function's parameters with what it gives for them."""
    source = INCLUDES["keys"].read_text()
    table = LuaRuntime(unpack_returned_tuples=True).execute(f"{source}\nreturn keys")
    parameters = {name: names.split(", ") for name, names in re.findall(r"function keys\.(\w+)\(([\w, ]*)\)", source)}
    constants = {name: value for name, value in table.items() if isinstance(value, str)}
    return constants, {name: (names, table[name](*map(str.upper, names))) for name, names in parameters.items()}


def test_keys_are_the_same_in_lua_and_python() -> None:
    constants, functions = lua_keys()
    assert constants
    assert functions
    assert {name: getattr(keys, name) for name in constants} == constants
    for name, (parameters, built) in functions.items():
        python = getattr(keys, name)
        assert list(inspect.signature(python).parameters) == parameters, name
        assert python(*map(str.upper, parameters)) == built, name


def test_listed_states_are_the_same_in_lua_and_python() -> None:
    found = LuaRuntime().execute(f"{INCLUDES['keys'].read_text()}\nreturn keys.LISTED")
    assert set(found.values()) == {state.value for state in (*BEFORE, *AFTER)}


def test_every_key_has_a_glossary_entry() -> None:
    source = Path(inspect.getsourcefile(keys) or "").read_text()
    for name, value in vars(keys).items():
        if inspect.isfunction(value):
            assert re.match(r"(?:hash|zset|set|list|string|stream|channel|The (?:name|id)\b)", value.__doc__ or ""), (
                name
            )
        elif isinstance(value, str) and not name.startswith("__"):
            assert re.search(rf'^{name} = .*\n"""(?:hash|zset|set|list|string|stream)', source, re.MULTILINE), name


SAMPLE = """#!lua flags=allow-oom
--[[ sample: a script that is as it should be.

KEYS[1]  xpm:W:jobs  zset  every identity
ARGV[1]  workspace id
ARGV[2]  name

Returns {code}
   1  FOUND
Invariant  nothing changes.
Cost O(1). Safe to repeat: yes.
]]
-- include: keys
local jobs_key = KEYS[1]
local w, name = unpack(ARGV)
return { redis.call('ZSCORE', jobs_key, name) and 1 or 0, keys.job(w, name) }
"""


def problems(source: str) -> list[str]:
    """All that any rule finds in a script named `sample`."""
    rules = (header_problems, reply_problems, piece_problems, word_problems)
    return [problem for rule in rules for problem in rule("sample", source)]


def test_rules_let_pass_what_is_fine() -> None:
    assert problems(SAMPLE) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("--[[ sample:", "--[[ simple:"),
        ("--[[ sample: a script that is as it should be.\n\n", "-- a script\n--[[\n"),
        ("ARGV[2]  name\n", ""),
        ("ARGV[2]", "ARGV[3]"),
        ("ARGV[2]  name", "ARGV[2]  name\nARGV[...]  more"),
        ("w, name = unpack", "w, name, more = unpack"),
        ("jobs_key, name) and", "KEYS[1], ARGV[2]) and"),
        ("Returns", "Gives"),
        ("Cost O(1). ", ""),
        ("   1  FOUND", "   1  FOUND\n   0  ABSENT"),
        ("keys.job(w, name)", "'xpm:' .. w .. ':job:' .. name"),
        ("-- include: keys", "-- include: guard keyz"),
        ("-- include: keys\n", ""),
        ("return {", "if state == 'redy' then return end\nreturn {"),
        ("return {", "events.tell(w, 'strated', rec)\nreturn {"),
        ("return {", "\n" * LINES + "return {"),
    ],
)
def test_rules_notice_what_is_wrong(before: str, after: str) -> None:
    assert before in SAMPLE
    assert problems(SAMPLE.replace(before, after))
