"""Which columns are parameters, which are tags, and which are results: as somebody has said, as the source says, or by
their names.

Owns: these rules. Whoever imports is told what was guessed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from xpm_core.errors import ExchangeError
from xpm_core.exchange.foreign.cells import has_decimal_comma, is_number
from xpm_core.exchange.foreign.sheet import Column, Role, Sheet
from xpm_core.words.text import listed

METRICS = frozenset({
    "acc", "accuracy", "auc", "auroc", "auprc", "ap", "map", "mrr", "ndcg", "dcg", "precision", "recall", "f1",
    "fscore", "score", "loss", "error", "err", "mse", "rmse", "mae", "mape", "r2", "perplexity", "ppl", "bleu",
    "rouge", "rougel", "meteor", "wer", "cer", "em", "nll", "elbo", "kl", "likelihood", "reward", "return", "fid",
    "iou", "miou", "dice", "psnr", "ssim", "hits", "correlation", "pearson", "spearman", "kendall", "kappa",
    "mcc", "brier", "ece", "runtime", "duration", "throughput", "latency", "metric", "result",
})  # fmt: skip
"""Words in the names of results, in small letters. `recall@10`, `val/loss` and `test_f1` have one."""

CHOICES = frozenset({
    "weight", "weights", "coef", "coeff", "coefficient", "scale", "scaling", "lambda", "alpha", "beta", "gamma",
    "threshold", "thresh", "factor", "penalty", "smoothing", "margin", "clip", "clipping", "temperature", "bonus",
    "discount", "function", "fn", "type", "name", "size", "budget", "limit", "target", "tolerance", "tol",
})  # fmt: skip
"""Words in the names of parameters that also have one of those: `loss_weight`, `score_threshold`, `kl_coef`."""

_WORDS = re.compile(r"[a-z]+\d?", re.ASCII)
SHOWN = 12
"""How many names an error lists."""


class Asked(NamedTuple):
    """Which columns somebody has named. None: none were named. `NAME=COLUMN` gives a column another name."""

    params: Sequence[str] | None = None
    tags: Sequence[str] | None = None
    results: Sequence[str] | None = None


class Chosen(NamedTuple):
    """The columns that are taken.

    Attributes:
        columns: By the key of each: what it is, and its name in tables.
        left: The keys of the others.
        guessed: The roles that were guessed by names.
    """

    columns: dict[str, tuple[Role, str]]
    left: list[str]
    guessed: list[Role]

    def names(self, role: Role) -> list[str]:
        """The names of the columns of a role."""
        return [name for found, name in self.columns.values() if found == role]


def words_of(given: Iterable[str]) -> list[str] | None:
    """The names in options: each may have several, with commas between them. None without any.

    Example:
        >>> words_of(["lr,model", "seed"]), words_of([])
        (['lr', 'model', 'seed'], None)
    """
    return [word.strip() for text in given for word in text.split(",") if word.strip()] or None


def choose(sheet: Sheet, asked: Asked) -> Chosen:
    """Decide what each column is.

    Columns that were named are what they were named as. Where columns of a role were named, the source's others of that
    role are left out. A column of which nothing is known is a result if only parameters were named, a parameter if only
    results were named, and left out if both were. If none were named, its name decides.

    Raises:
        ExchangeError: A column that was named is not there, stands for two things, or nothing is a result.
    """
    found: dict[str, tuple[Role, str]] = {}
    options: Mapping[Role, Sequence[str] | None] = {"param": asked.params, "tag": asked.tags, "result": asked.results}
    for role, words in options.items():
        for word in words or ():
            column, name = _named(sheet, role, word)
            if column.key in found:
                raise ExchangeError(_option(role), f"{column.key!r} is named twice", "Name it once.")
            found[column.key] = role, name
    guessed: dict[Role, None] = {}
    for column in sheet.columns.values():
        if column.key in found or column.fact:
            continue
        if column.role is not None:
            if options[column.role] is None:
                found[column.key] = column.role, column.name
        elif asked.params is None or asked.results is None:
            role = _other(asked) or _guess(sheet, column)
            if _other(asked) is None:
                guessed[role] = None
            found[column.key] = role, column.name
    _check(sheet, found)
    order = {key: found[key] for key in sheet.columns if key in found}
    return Chosen(order, [key for key in sheet.columns if key not in found], list(guessed))


def _other(asked: Asked) -> Role | None:
    """What the rest is, if columns of one role were named."""
    if asked.params is not None:
        return "result"
    return "param" if asked.results is not None else None


def _guess(sheet: Sheet, column: Column) -> Role:
    """A result has a name as results have and as parameters have not, and at least one number."""
    words = _WORDS.findall(column.name.lower())
    if METRICS.isdisjoint(words) or not CHOICES.isdisjoint(words):
        return "param"
    values = (line.values.get(column.key) for line in sheet.lines)
    numbers = ((is_number(value) and not isinstance(value, bool)) or has_decimal_comma(value) for value in values)
    return "result" if any(numbers) else "param"


def _option(role: Role) -> str:
    return f"--{role}s"


def _named(sheet: Sheet, role: Role, word: str) -> tuple[Column, str]:
    """The column that a word names, and the name that it gets."""
    if (column := _column(sheet, role, word)) is not None:
        return column, column.name
    name, sign, rest = word.partition("=")
    if sign and name.strip() and (column := _column(sheet, role, rest.strip())) is not None:
        return column, name.strip()
    known = list(dict.fromkeys([*(each.name for each in sheet.columns.values()), *sheet.columns]))
    near = difflib.get_close_matches(rest or word, known, 3)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    problem = f"{sheet.source} has no column {rest.strip() or word!r}"
    raise ExchangeError(_option(role), problem, f"{hint}There are: {listed(known, SHOWN)}.")


def _column(sheet: Sheet, role: Role, word: str) -> Column | None:
    """The column of a key; else the one of a name, if need be the one that has the role already.

    Raises:
        ExchangeError: Several columns have that name.
    """
    if word in sheet.columns:
        return sheet.columns[word]
    found = [each for each in sheet.columns.values() if each.name == word]
    of_role = [each for each in found if each.role == role]
    if len(of_role) == 1 or len(found) == 1:
        return (of_role or found)[0]
    if found:
        keys = ", ".join(each.key for each in found)
        raise ExchangeError(_option(role), f"several columns are named {word!r}: {keys}", "Write one of these.")
    return None


def _check(sheet: Sheet, found: Mapping[str, tuple[Role, str]]) -> None:
    seen: dict[tuple[Role, str], str] = {}
    for key, taken in found.items():
        if taken in seen:
            role, name = taken
            problem = f"two columns are the {role} {name!r}: {seen[taken]} and {key}"
            remedy = f"Give one of them another name: {_option(role)} NEW={key}, and name the others, too."
            raise ExchangeError(sheet.source, problem, remedy)
        seen[taken] = key
    if not any(role == "result" for role, _ in found.values()):
        known = listed([each.name for each in sheet.columns.values()], SHOWN) or "none"
        problem = f"no column looks like a result (columns: {known})"
        raise ExchangeError(sheet.source, problem, "Name the results: --results accuracy,loss.")
