# ruff: noqa: RUF001  # letters that look alike are what the lists are about
"""Texts in LaTeX: any text is shown as it is, and none is a command.

What is written compiles with pdfLaTeX and no package. It has accents, Greek letters and common signs as commands; a
letter that pdfLaTeX has no font for, such as a Chinese one, is shown as its number there, and as itself by XeLaTeX and
LuaLaTeX.

Owns: this translation.
"""

from __future__ import annotations

import re
import unicodedata

_COMMANDS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "`": r"\textasciigrave{}", '"': r"\symbol{34}", "[": "{[}", "]": "{]}", "*": "{*}",
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}", "Ø": r"\O{}",
    "ł": r"\l{}", "Ł": r"\L{}", "å": r"\aa{}", "Å": r"\AA{}", "ı": r"\i{}",
    "–": r"\textendash{}", "—": r"\textemdash{}", "‘": r"\textquoteleft{}", "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}", "”": r"\textquotedblright{}", "…": r"\dots{}", "§": r"\S{}", "¶": r"\P{}",
    "©": r"\copyright{}", "†": r"\dag{}", "‡": r"\ddag{}", "¡": r"\textexclamdown{}", "¿": r"\textquestiondown{}",
}  # fmt: skip
"""Also what is no letter and has a meaning after `\\\\` of a table: a bracket and a star."""

_SIGNS = {
    "±": "pm", "×": "times", "÷": "div", "·": "cdot", "−": "-", "°": "^{\\circ}", "≤": "le", "≥": "ge", "≠": "ne",
    "≈": "approx", "∞": "infty", "→": "to", "←": "leftarrow", "↑": "uparrow", "↓": "downarrow", "∈": "in",
    "∑": "sum", "∏": "prod", "√": "surd", "∂": "partial", "∇": "nabla", "²": "^2", "³": "^3", "¹": "^1", "µ": "mu",
    "μ": "mu", "ℓ": "ell", "¬": "neg", "∅": "emptyset", "∪": "cup", "∩": "cap", "✓": "surd",
}  # fmt: skip
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ϵ": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma",
    "ς": "varsigma", "τ": "tau", "υ": "upsilon", "φ": "varphi", "ϕ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
    "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Υ": "Upsilon",
    "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u0304": "=", "\u0307": ".",
    "\u0306": "u", "\u030c": "v", "\u030b": "H", "\u0327": "c", "\u030a": "r", "\u0323": "d", "\u0331": "b",
}  # fmt: skip
_LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=')(?=')|(?<=,)(?=,)|(?<=[?!])(?=\\text)")
"""Where LaTeX would draw two letters as another one: `--` is a dash."""


def escaped(text: str) -> str:
    """A text as LaTeX that shows it, in one line.

    Example:
        >>> print(escaped("50 % of a_b & ü"))
        50 \\% of a\\_b \\& \\"{u}
    """
    line = "".join(each if each.isprintable() else " " for each in unicodedata.normalize("NFC", text))
    apart = _LIGATURE.sub("\0", line)
    return "".join("{}" if each == "\0" else _letter(each) for each in apart)


def needs_unicode(text: str) -> bool:
    """Whether a text has letters that pdfLaTeX shows only as their numbers."""
    return any(_letter(each).startswith("\\ifdefined") for each in text if each.isprintable())


def comment(text: str) -> str:
    """A text as a comment of LaTeX, in one line."""
    return f"% {''.join(each if each.isprintable() else ' ' for each in text)}"


def _letter(each: str) -> str:
    if each in _COMMANDS:
        return _COMMANDS[each]
    if each.isascii():
        return each
    name = _SIGNS.get(each) or _GREEK.get(each)
    if name:
        return rf"\ensuremath{{{name if name[0] in '^-' else chr(92) + name}}}"
    parts = unicodedata.normalize("NFD", each)
    if len(parts) == 2 and parts[0].isascii() and parts[0].isalpha() and parts[1] in _ACCENTS:
        return rf"\{_ACCENTS[parts[1]]}{{{parts[0]}}}"
    return rf"\ifdefined\Umathcode {each}\else[U+{ord(each):04X}]\fi{{}}"
