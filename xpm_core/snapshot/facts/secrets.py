"""Secrets in arguments and in the environment: what is hidden before something is written down.

Some words make a name secret wherever they stand, such as PASSWORD and SECRET. Others do so as a word of their own,
such as KEY and TOKEN: `--api-key` is secret, `--monkey` and `--tokenizer` are not. Beside words of models and tables,
such as MAX, SIZE or PAD, they are not secret either: who goes back to a run needs `--max-tokens 5` and `--key-size 2`.

Owns: which names are secret, and what of a text is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

HIDDEN = "***"
"""Stands for what is hidden."""


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_ANYWHERE = re.compile(
    r"passw|passphrase|passcode|passkey|secret|credential|bearer|authori[sz]ation|signature|cookie", re.IGNORECASE
)
"""These make a name secret, within a word, too."""
_WORD = re.compile(r"(?:.*(?:key|token|auth)s?|.*pass|.*pwd|pat|sig)", re.IGNORECASE)
"""These make a name secret as a word, or at the end of one: `apikey`, `DBPASS`."""
_OTHER_WORDS = _words("""
    bandpass bypass compass donkey encompass highpass hockey hotkey hotkeys jockey lowpass monkey monkeys overpass
    singlepass surpass turkey whiskey
""")
_SECRET_BESIDE = _words("""
    access account api app aws client hf http private service ssh user wandb
""")
"""Beside one of these words, KEY and its like are always secret."""
_HARMLESS_BESIDE = _words("""
    attention attn avg axis batch bits block bos bucket budget cache cls column context count dim dims dropout drop
    embed embedding embeddings end eos extra field foreign freq group head heads hidden image index input join label
    layer layers len length limit loss mask max mean merge min mix n new norm num number output pad padding per
    position primary prompt query rate ratio sep sequence size sort special start stop sum text total type types unk
    video vision vocab weight weights
""")
"""Beside one of these words, KEY and its like stand for a part of a model, of a text or of a table."""

_FILE = re.compile(r"[^.].*\.(?:bin|csv|db|gz|h5|jsonl?|npy|npz|parquet|pkl|pt|py|toml|tsv|txt|ya?ml|zip)")
"""A positional argument of this form is a file: `tokens.txt`."""
_WORDS_OF_A_NAME = re.compile(r"[A-Z]+s?(?![a-z])|[A-Z]?[a-z]+")
_NUMBER = re.compile(
    r"[-+]?(?:\d{1,7}|\d*\.\d{1,7}|\d{1,3}(?:\.\d*)?e[-+]?\d{1,2})|true|false|none|null", re.IGNORECASE
)
_RANDOM = re.compile(r"(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])[\w+=.~-]{20,}")
"""What a token may look like: long, of digits and letters."""

_A_TOKEN = "0f" * 16
"""Is hidden under each name that can be secret."""

_SIGN = r"[\s=:,;&|>]"
_GIVEN = re.compile(
    r"""(?<![^\s=:,;&|/?#"'{}()\[\]])(?P<name>[^\s=:,;&|/?#"'{}()\[\]]+)["'\])}]*"""
    rf"""(?P<sign>{_SIGN}+)["'\[({{]*(?P<value>[^\s,;&|"')}}\]]{{0,64}})"""
)
"""Finds a name, what separates it from its value, and the value: `PASSWORD=x`, `"api_key": "x"`, `?token=x`."""

_KNOWN = re.compile(
    r"(?<![A-Za-z0-9])(?:gh[a-z]_|github_pat_|glpat-|hf_|sk-|xox[a-z]-|AKIA|ASIA|eyJ)"
    r"(?=[\w.-]*[A-Z0-9]|(?:proj-)?[a-z]{16})[\w.-]{12,}"
)
"""Finds what is a token by its form: those of GitHub, GitLab, Hugging Face, OpenAI, Slack, Amazon, and web tokens."""

_SHORT = re.compile(r"-p(?=.*[^a-z])(?![\d.]+$)(?P<value>[^=/]+)")
"""Finds a password in one word with its option: `-phunter2`, but not `-p8080` or `-parallel`."""
_USERS = frozenset({"-u", "--user", "--username", "--login"})


def hides(name: str, value: str = "") -> bool:
    """Whether a value under this name may not be shown.

    Example:
        >>> hides("WANDB_API_KEY", "x"), hides("OMP_NUM_THREADS", "8"), hides("--max-tokens", "5")
        (True, False, False)
    """
    if _ANYWHERE.search(name):
        return True
    words = [word.lower() for word in _WORDS_OF_A_NAME.findall(name)]
    found = [word for word in words if word not in _OTHER_WORDS and _WORD.fullmatch(word)]
    if not found:
        return False
    beside = set(words)
    if beside & _SECRET_BESIDE:
        return True
    if beside & _HARMLESS_BESIDE:
        return _RANDOM.fullmatch(value) is not None
    is_counted = len(words) > 1 or found[0].endswith(("keys", "tokens"))
    return not (is_counted and _NUMBER.fullmatch(value))


def variable(name: str, value: str) -> str:
    """The value of a variable of the environment, as it may be written.

    Example:
        >>> variable("XPM_REDIS_URL", "redis://alice:secret@head:6379/0")
        'redis://***@head:6379/0'
    """
    return HIDDEN if hides(name, value) else _shown(value, _end(value, within_paths=True))


def arguments(given: Iterable[str]) -> list[str]:
    """The arguments of a program, as they may be written.

    Example:
        >>> arguments(["--lr", "0.1", "--api-key", "x", "--max-tokens", "3", "PASSWORD=y"])
        ['--lr', '0.1', '--api-key', '***', '--max-tokens', '3', 'PASSWORD=***']
    """
    return list(_arguments(given))


def _arguments(given: Iterable[str]) -> Iterator[str]:
    """Each argument. After a secret name, the arguments up to the next option are hidden."""
    name = before = ""
    is_next = False
    for each in given:
        is_option = each.startswith("-") and not (is_next and _takes(name, each))
        name = "" if is_option else name
        hidden = bool(name) and hides(name, each)
        is_next = _names_next(each) and not (hidden and not each.startswith("-"))
        yield HIDDEN if hidden else _after(before, each)
        name = each if is_next else name
        before = each


def _takes(name: str, argument: str) -> bool:
    """Whether an argument that begins with `-` may be the value of an option: few programs can be given a token so."""
    return _ANYWHERE.search(name) is not None or not re.match("--[A-Za-z]", argument)


def _names_next(argument: str) -> bool:
    """Whether an argument is a secret name, whose value follows in the next argument."""
    is_option = argument.startswith("-")
    if "/" in argument and not is_option:
        return False
    bare = argument.rstrip(" =:\t\"'")
    if not bare or re.search(_SIGN, bare) or not hides(bare, _A_TOKEN):
        return False
    return is_option or _FILE.fullmatch(bare) is None or _ANYWHERE.search(bare) is not None


def _after(option: str, argument: str) -> str:
    """An argument that stands after an option of one letter, or of a user: `-p hunter2`, `-u alice:hunter2`."""
    if option == "-p" and not (_NUMBER.fullmatch(argument) or "/" in argument or argument.startswith("-")):
        return HIDDEN
    if option in _USERS or argument.partition("=")[0] in _USERS:
        user, colon, _ = argument.partition(":")
        argument = f"{user}:{HIDDEN}" if colon and "://" not in argument else argument
    return f"-p{HIDDEN}" if _SHORT.fullmatch(argument) else text(argument)


def text(given: str) -> str:
    """A text without the secrets in it: what stands after a secret name, and passwords in URLs.

    Example:
        >>> text("https://alice:secret@host/?token=x&page=2")
        'https://***@host/?token=***'
    """
    return _shown(given, _end(given))


def _end(given: str, *, within_paths: bool = False) -> int:
    """Where the value of the first secret name begins; the end of the text if there is none."""
    at = 0
    while found := _GIVEN.search(given, at):
        sign = found["sign"]
        if within_paths:
            counts = "=" in sign
        else:
            counts = bool(sign.strip()) or _is_one_name(given[max(found.start() - 1, 0) : found.start()], found["name"])
        if counts and hides(found["name"], found["value"]):
            return found.end("sign")
        at = found.end("sign")
    return len(given)


def _is_one_name(before: str, name: str) -> bool:
    """Whether a word of a text is a secret name even if only a space follows, unlike in `the key idea`."""
    is_first = not before.isspace()
    return is_first or bool(_ANYWHERE.search(name)) or len(_WORDS_OF_A_NAME.findall(name)) > 1 or not name.isalpha()


def _shown(given: str, until: int | None = None) -> str:
    """A text without passwords, and without all that stands after a position."""
    until = len(given) if until is None else until
    begin, end = _password_in(given)
    last = f"{HIDDEN}" if until < len(given) else ""
    if begin == end or begin >= until:
        shown = given[:until] + last
    elif end >= until:
        shown = given[:begin] + HIDDEN
    else:
        shown = given[:begin] + HIDDEN + given[end:until] + last
    return _KNOWN.sub(HIDDEN, shown)


def _password_in(given: str) -> tuple[int, int]:
    """Where the user and the password of a URL stand: up to the last `@`, so that a malformed URL hides more.

    Without a scheme, as in `alice:secret@host`, it is what stands between `:` and `@`.
    """
    end = given.rfind("@")
    scheme = given.find("://", 0, max(end, 0))
    if scheme >= 0:
        begin = scheme + len("://")
        is_user = not re.search(r"[/?#\s]", given[begin:end])
        return (begin, end) if is_user or ":" in given[begin:end] else (0, 0)
    colon = given.find(":", 0, max(end, 0))
    return (0, 0) if colon < 0 else (colon + 1, end)
