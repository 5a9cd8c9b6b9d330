"""No value that is given under a secret name is written, nor a password in a URL."""

from __future__ import annotations

import pytest
from helpers.secret_words import around, names, values
from hypothesis import assume, given
from hypothesis import strategies as st

from xpm_core.snapshot.facts import secrets


@given(names, values)
def test_a_variable_with_a_secret_name_is_hidden(name: str, value: str) -> None:
    assert secrets.variable(name, value) == "***"


@given(names, values, st.sampled_from(["=", ":", ": ", '": "', "=>", " ", " = ", "['"]), around)
def test_what_stands_after_a_secret_name_is_hidden(name: str, value: str, sign: str, before: str) -> None:
    assume(sign != "['")
    for argument in (f"{name}{sign}{value}", f"--{name}{sign}{value}", f'--set={before}{{"{name}{sign}{value}"}}'):
        assert "S3cr3t" not in "\n".join(secrets.arguments(["--lr", "0.1", argument, "--epochs", "3"]))


@given(names, st.lists(values, min_size=1, max_size=3), st.booleans())
def test_the_arguments_after_a_secret_name_are_hidden(name: str, hidden: list[str], is_option: bool) -> None:
    name = f"--{name.strip('-')}" if is_option else name
    shown = secrets.arguments(["--lr", "0.1", name, *hidden, "--epochs", "3"])
    assert "S3cr3t" not in "\n".join(shown)
    assert shown[:3] == ["--lr", "0.1", name]
    assert shown[-2:] == ["--epochs", "3"]


@given(st.text(max_size=8), values, st.sampled_from(["redis", "https", "git+ssh", "postgresql+psycopg2"]))
def test_the_password_of_a_url_is_hidden(user: str, password: str, scheme: str) -> None:
    url = f"{scheme}://{user}:{password}@head:6379/0"
    for shown in ([secrets.variable("URL", url)], secrets.arguments([url, f"--to={url}"])):
        assert "S3cr3t" not in "\n".join(shown)


@given(values)
def test_a_value_that_begins_like_an_option_is_hidden(value: str) -> None:
    assert "S3cr3t" not in "\n".join(secrets.arguments(["--password", f"-{value}"]))
    assert "S3cr3t" not in "\n".join(secrets.arguments(["--auth", "--password", value]))


@given(st.text(max_size=10), st.text(max_size=10))
def test_a_secret_that_two_rules_meet_in_is_hidden(one: str, other: str) -> None:
    assert "S3cr3t" not in secrets.text(f"{one}redis://u:mykeyS3cr3t x{other}@head")
    assert "S3cr3t" not in secrets.text(f"--x=a:b{one}?token=q{other}@S3cr3t")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (["--lr", "0.1", "--out=a b", "model=mlp", "-v"], ["--lr", "0.1", "--out=a b", "model=mlp", "-v"]),
        (["--api-key", "x", "--lr", "0.1"], ["--api-key", "***", "--lr", "0.1"]),
        (["--api-key", "mykey", "--lr", "0.1"], ["--api-key", "***", "--lr", "0.1"]),
        (["--api-key=x", "PASSWORD=x"], ["--api-key=***", "PASSWORD=***"]),
        (["--hf-token="], ["--hf-token="]),
        (["-H", "Authorization: Bearer abc"], ["-H", "Authorization: ***"]),
        (["-H", "Authorization:", "abc"], ["-H", "Authorization:", "***"]),
        (["redis://user:pw@host:1/0"], ["redis://***@host:1/0"]),
        (["https://abc@github.com/lab/x.git"], ["https://***@github.com/lab/x.git"]),
        (["git+https://github.com/lab/x@v1"], ["git+https://github.com/lab/x@v1"]),
        (["me@head"], ["me@head"]),
        (["--set", "api_key", "x"], ["--set", "api_key", "***"]),
        (["/home/keynes/data.csv", "3"], ["/home/keynes/data.csv", "3"]),
        (["--pin-memory", "1"], ["--pin-memory", "1"]),
        (["ghp_abcdefghijklmnop1234"], ["***"]),
        (["login", "hf_abcdefghijklmnop1234,x"], ["login", "***,x"]),
    ],
)  # fmt: skip
def test_only_what_may_be_secret_is_hidden(given: list[str], shown: list[str]) -> None:
    assert secrets.arguments(given) == shown


def test_paths_of_a_variable_are_shown_whatever_their_names() -> None:
    path = "/home/keynes/lib:/opt/tokenizer"
    assert secrets.variable("PYTHONPATH", path) == path
