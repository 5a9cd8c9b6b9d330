"""Where the code of a script lies now: paths are replaced by text, because the script's folders may not exist here."""

from __future__ import annotations

import pytest

from xpm_core.project.moved_code import UNMOVED, MovedCode

CODE = MovedCode({"/home/me": "/t/me", "/home/me/lib": "/t/lib", "/data/lib": "/t/lib"})


@pytest.mark.parametrize(
    ("live", "here"),
    [
        ("/home/me/train.py", "/t/me/train.py"),
        ("/home/me", "/t/me"),
        ("/home/me/lib/a.py", "/t/lib/a.py"),
        ("/home/me/library/a.py", "/t/me/library/a.py"),
        ("/home/meg/a.py", "/home/meg/a.py"),
        ("/data/lib/src", "/t/lib/src"),
        ("<standard>", "<standard>"),
        ("", ""),
    ],
)
def test_the_longest_root_is_replaced(live: str, here: str) -> None:
    assert CODE.here(live) == here


def test_a_path_of_the_copy_leads_back_to_the_first_root() -> None:
    assert CODE.there("/t/me/train.py") == "/home/me/train.py"
    assert CODE.there("/t/lib/a.py") == "/home/me/lib/a.py"
    assert CODE.there("/usr/lib/a.py") == "/usr/lib/a.py"


def test_root_of_the_file_system_is_a_root_too() -> None:
    assert MovedCode({"/": "/t/root"}).here("/train.py") == "/t/root/train.py"


def test_unmoved_code_is_where_it_was() -> None:
    assert UNMOVED.here("/home/me/train.py") == UNMOVED.there("/home/me/train.py") == "/home/me/train.py"
