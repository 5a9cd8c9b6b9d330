"""Read a file of text that somebody gives: UTF-8, with or without a mark at its beginning.

Owns: what is said of a file that is none.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from xpm_core.errors import ExchangeError
from xpm_core.words.text import amount

LARGEST = 2 * 10**9
"""How many bytes a file may have."""

_FORMS = (
    (b"PK\x03\x04", "it is a zip archive or an Excel file", "Save it as CSV."),
    (b"\x1f\x8b", "it is compressed", "Unpack it: gunzip FILE."),
    (b"PAR1", "it is a Parquet file", "Save it as CSV."),
    (b"\xff\xfe", "it is UTF-16", "Save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW."),
    (b"\xfe\xff", "it is UTF-16", "Save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW."),
)


def read_text(file: Path) -> tuple[str, str]:
    """The text of a file, and the SHA-256 of its bytes.

    Raises:
        ExchangeError: It cannot be read, is no UTF-8, or has nothing in it; where and what to do.
    """
    where = str(file)
    try:
        if (size := file.stat().st_size) > LARGEST:
            raise ExchangeError(where, f"it has {amount(size)}, more than {amount(LARGEST)}", "Import it in parts.")
        data = file.read_bytes()
    except IsADirectoryError:
        raise ExchangeError(where, "it is a folder", "Name a file.") from None
    except OSError as error:
        raise ExchangeError(where, f"cannot be read ({error.strerror})", "Name a file that you may read.") from None
    for start, problem, remedy in _FORMS:
        if data.startswith(start):
            raise ExchangeError(where, problem, remedy)
    if (at := data.find(0)) >= 0:
        raise ExchangeError(f"{where}:{_line(data, at)}", "it has a NUL byte, so it is no text", "Name a text file.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"byte 0x{data[error.start]:02x} is not UTF-8 (an older encoding, such as latin-1?)"
        remedy = "Save it as UTF-8: iconv -f latin1 -t UTF-8 FILE > NEW."
        raise ExchangeError(f"{where}:{_line(data, error.start)}", problem, remedy) from None
    if not text.strip():
        raise ExchangeError(where, "it is empty", "Name a file with runs.")
    return text, hashlib.sha256(data).hexdigest()


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def printable(value: Any) -> Any:
    """A value whose texts can be printed: JSON may have halves of characters. Objects in lists are kept."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [printable(each) for each in value]
    if isinstance(value, dict):
        return {printable(str(name)): printable(each) for name, each in value.items()}
    return value
