"""Patterns of settings, compared with git's own, and names of secrets."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpm_core.snapshot.taking.files.names import Patterns, fixed_part, is_python, is_secret, lies_in, shown


@pytest.mark.parametrize(
    ("pattern", "matched", "others"),
    [
        ("build/*.so", ["build/a.so"], ["a.so", "build/x/a.so", "x/build/a.so", "build/a.sow"]),
        ("*.csv", ["a.csv", "x/y/a.csv"], ["a.csv.gz", "acsv"]),
        ("data", ["data", "data/a", "x/data/y/a"], ["data2/a", "mydata"]),
        ("data/", ["data/a", "x/data/a"], ["data2/a"]),
        ("./data", ["data/a"], ["x/data/a"]),
        ("a/**/b.txt", ["a/b.txt", "a/x/y/b.txt"], ["b.txt", "ab.txt"]),
        ("**/*.so", ["a.so", "x/y.so"], ["a.sox"]),
        ("a/**", ["a/b", "a/b/c"], ["b/a"]),
        ("x?[ab].t", ["x1a.t", "d/x2b.t"], ["xa.t", "x1c.t", "x/a.t"]),
        ("[!a]x", ["bx"], ["ax"]),
        ("a+b(1).txt", ["a+b(1).txt"], ["aab(1).txt"]),
        ("two\nlines", ["two\nlines", "two\nlines/a"], ["two"]),
    ],
)
def test_a_pattern_means_what_it_says(pattern: str, matched: list[str], others: list[str]) -> None:
    one = Patterns([pattern])
    assert [path for path in [*matched, *others] if one.match(path)] == matched


def test_without_patterns_nothing_is_meant() -> None:
    assert not Patterns([]).match("a")


parts = st.lists(st.sampled_from(["a", "b", "ab", "a.b"]), min_size=1, max_size=3).map("/".join)
patterns = st.lists(st.sampled_from(["a", "b", "*", "a*", "?", "**", "*.b", "[ab]"]), min_size=1, max_size=3).map(
    "/".join
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("patterns")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


@settings(max_examples=60)
@given(pattern=patterns, paths=st.lists(parts, min_size=1, max_size=6, unique=True))
def test_patterns_are_those_of_a_gitignore(repository: Path, pattern: str, paths: list[str]) -> None:
    (repository / ".gitignore").write_text(f"{pattern}\n")
    asked = "\0".join(paths).encode()
    command = ["git", "check-ignore", "--no-index", "-z", "--stdin"]
    answer = subprocess.run(command, cwd=repository, input=asked, capture_output=True, check=False).stdout
    assert [path for path in paths if Patterns([pattern]).match(path)] == answer.decode().split("\0")[:-1]


def test_a_search_begins_where_a_pattern_is_fixed() -> None:
    given_ = ["build/lib/*.so", "*.so", "data/set.csv", "data", "./.env", "a/**/b"]
    assert [fixed_part(each) for each in given_] == ["build/lib", "", "data/set.csv", "data", ".env", "a"]


@pytest.mark.parametrize(
    "path",
    [".env", ".env.local", "x/.envrc", "a.pem", "server.KEY", ".netrc", "_netrc", "id_rsa", "id_ed25519", "id_work",
     ".aws/config", "x/.ssh/known_hosts", "credentials.json", "gcp-credentials.json", "client_secret_1.json",
     "service-account.json", "secrets.yaml", ".pgpass", ".pypirc", "kaggle.json", "a.p12", ".git-credentials"],
)  # fmt: skip
def test_names_of_secrets(path: str) -> None:
    assert is_secret(path)


@pytest.mark.parametrize(
    "path",
    ["env", "environment.yml", "keys.csv", "id_map.csv", "id_rsa.pub", "secrets.py", "credentials.py", ".env.py",
     "monkey", "token.txt", "pem", "x/key/a.txt", "settings.toml"],
)  # fmt: skip
def test_names_of_others(path: str) -> None:
    assert not is_secret(path)


def test_what_is_code() -> None:
    names = ["a.py", "a.pyi", "m.cpython-311-x86_64-linux-gnu.so", "lib.so", "a.pyc", "a.txt", "py"]
    assert [name for name in names if is_python(name)] == names[:4]


def test_paths_lie_in_folders_by_whole_names() -> None:
    cases = [("/a/b", "/a"), ("/a", "/a"), ("/ab", "/a"), ("/x", "/"), ("/", "/a")]
    assert [lies_in(*case) for case in cases] == [True, True, False, True, False]


def test_paths_are_shown_so_that_every_terminal_takes_them() -> None:
    assert [shown(each) for each in ("é/a", "a\nb", "\udcff", "\x1b[2J")] == ["é/a", "a\\nb", "\\udcff", "\\x1b[2J"]
