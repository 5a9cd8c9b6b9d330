"""The files of TLS are checked before the page starts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from helpers.tls import Authority

from xpm_cli.page.serving.tls import checked
from xpm_core.errors import PageError


def test_files_that_belong_together_are_taken(tmp_path: Path) -> None:
    own = Authority(tmp_path)._own
    assert checked(own.certificate, own.key) == (own.certificate, own.key)


def test_files_that_do_not_belong_together_are_named(tmp_path: Path) -> None:
    one, other = Authority(tmp_path, "one")._own, Authority(tmp_path, "other")._own
    with pytest.raises(PageError, match=r"one.*, .*other.*: cannot be used for TLS"):
        checked(one.certificate, other.key)
    with pytest.raises(PageError, match="both as PEM"):
        checked(one.key, one.key)
    with pytest.raises(PageError, match="No such file"):
        checked(tmp_path / "nothing", one.key)


def test_a_key_with_a_password_does_not_ask_for_it(tmp_path: Path) -> None:
    own, closed = Authority(tmp_path)._own, tmp_path / "closed.pem"
    command = ["openssl", "pkey", "-in", own.key, "-aes256", "-passout", "pass:secret", "-out", closed]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(PageError, match="without a password"):
        checked(own.certificate, closed)
