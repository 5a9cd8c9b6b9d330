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
        (["-u", "me", "-p", "hunter2"], ["-u", "me", "-p", "***"]),
        (["-phunter2", "-p", "8080", "-p8080", "-parallel"], ["-p***", "-p", "8080", "-p8080", "-parallel"]),
        (["-u", "me:hunter2", "--user=me:hunter2"], ["-u", "me:***", "--user=me:***"]),
        (["MYSQL_PWD=x", "--dbpass", "hunter2"], ["MYSQL_PWD=***", "--dbpass", "***"]),
        (["https://lab/a?sig=abc"], ["https://lab/a?sig=***"]),
        (["login", "hf_abcdefghijklmnop1234,x"], ["login", "***,x"]),
    ],
)  # fmt: skip
def test_only_what_may_be_secret_is_hidden(given: list[str], shown: list[str]) -> None:
    assert secrets.arguments(given) == shown


@pytest.mark.parametrize(
    "given",
    [
        "--tokenizer bert --lr 1", "--tokenizer=bert", "--max-tokens 5", "--max_new_tokens=5", "--tokens 4096",
        "--monkey 3", "--key-size 2", "--keysize=2", "--author me", "--keypoints a.npy", "model.tokenizer=bert",
        "--sort-key lr", "--pad-token </s>", "--pad-token-id 0", "--n-keys 4", "--attention.key_dim 64", "optim.key=3",
        "--use-auth-token --lr 0.1", "--bypass 1", "tokens.txt 3", "--keyword cat", "hf_datasets_cache=3", "-p 0.5",
        "-p data/x", "--keep-alive 2",
    ],
)  # fmt: skip
def test_harmless_values_are_shown(given: str) -> None:
    assert secrets.arguments(given.split()) == given.split()


def test_a_text_with_a_harmless_word_is_shown() -> None:
    given = ["--prompt", "Name the key ideas of this text, in at most ten tokens"]
    assert secrets.arguments(given) == given


def test_what_looks_like_a_token_is_hidden_under_a_harmless_name() -> None:
    assert secrets.arguments(["--max-token", "0f3a9c0f3a9c0f3a9c0f3a9c"]) == ["--max-token", "***"]


@pytest.mark.parametrize(("name", "value"), [("TOKENIZERS_PARALLELISM", "false"), ("OMP_NUM_THREADS", "8")])
def test_a_variable_with_a_harmless_name_is_shown(name: str, value: str) -> None:
    assert secrets.variable(name, value) == value


def test_a_password_that_an_address_has_as_an_option_is_hidden() -> None:
    assert secrets.variable("XPM_REDIS_URL", "unix:///run/r.sock?password=x&db=1") == "unix:///run/r.sock?password=***"


@pytest.mark.parametrize("part", ["a", "--", "A", ":@", "0f", "key ", '"', "a=b,"])
def test_a_long_argument_takes_no_time_of_note(part: str) -> None:
    given = part * (100_000 // len(part))  # a pattern that tries each beginning anew would take hours
    assert len(secrets.arguments(["--text", given, f"-p{given}"])) == 3


def test_paths_of_a_variable_are_shown_whatever_their_names() -> None:
    path = "/home/keynes/lib:/opt/tokenizer"
    assert secrets.variable("PYTHONPATH", path) == path
