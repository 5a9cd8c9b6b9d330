"""Addresses of servers: which are refused, and that no password is ever shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.errors import RedisUrlError
from xpm_core.server.address import ServerAddress, locate
from xpm_core.server.url import check_url, safe_url

GOOD = [
    "redis://head",
    "redis://head:6379",
    "redis://head:6379/0",
    "redis:///3",
    "redis://[::1]:6379/0",
    "rediss://alice:p%40ss@head:6380/15?ssl_cert_reqs=none",
    "redis://:word@head/1?client_name=me",
    "unix:///tmp/redis.sock",
    "unix:///tmp/with%20space/redis.sock?db=2",
    "unix://alice:word@/tmp/redis.sock",
]

BAD = [
    ("", "expected redis://, rediss:// or unix:// at its start"),
    ("head:6379", "expected redis://, rediss:// or unix://"),
    ("http://head:6379", "expected redis://"),
    ("redis+sentinel://head:6379", "expected redis://"),
    ("redis://head:port/0", "host or port"),
    ("redis://head:99999", "host or port"),
    ("redis://head:0", "host or port"),
    ("redis://[::1/0", "host or port"),
    ("redis://head/first", "database number after the host"),
    ("redis://head/0/1", "database number"),
    ("redis://alice:p@ss/word@head", "an '@' after its host"),
    ("redis://alice:12?word=word@head", "an '@' after its host"),
    ("redis://head 2:6379", "a space"),
    ("redis://head/0#fragment", "a '#'"),
    ("redis://head?socket_timeout=900", "unknown option 'socket_timeout'"),
    ("redis://head?decode_responses=1", "unknown option"),
    ("redis://head?db=first", "db=first: expected"),
    ("redis://head?ssl_ca_certs=/ca.crt", "ssl_ca_certs is an option of TLS, which redis:// does not speak"),
    ("rediss://head?ssl_ca_cert=/ca.crt", "unknown option 'ssl_ca_cert'"),
    ("rediss://head?ssl_cert_reqs=maybe", "ssl_cert_reqs=maybe: expected none|optional|required"),
    ("unix://tmp/redis.sock", "three slashes"),
    ("unix://", "three slashes"),
]

WITH_PASSWORD = [
    "redis://alice:S3CRET@head:6379/0",
    "redis://:S3CRET@head",
    "redis://S3CRET@head",
    "redis://alice:S3C@RET/S3CRET@head",
    "redis://alice:S3CRET:S3CRET@head",
    "redis://alice:S3CRET?S3CRET@head",
    "redis://alice:12?S3CRET=S3CRET@head",
    "redis://alice:S3CRET#S3CRET@head",
    "redis://alice:S3CRET S3CRET@head",
    "redis://alice:S3CRET\nS3CRET@head",
    "redis://head?password=S3CRET",
    "redis://head?db=1&password=S3@CRET&client_name=x",
    "rediss://head?ssl_password=S3CRET",
    "unix://alice:S3CRET@/tmp/redis.sock",
    "unix:///tmp/redis.sock?password=S3CRET",
    "http://alice:S3CRET@head",
    "redis:alice:S3CRET@head",
    "alice:S3CRET@head:6379",
]


@pytest.mark.parametrize("url", GOOD)
def test_a_good_address_passes_as_it_is(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(("url", "problem"), BAD)
def test_a_bad_address_is_one_clear_error(url: str, problem: str) -> None:
    with pytest.raises(RedisUrlError) as caught:
        check_url(url)
    assert problem in str(caught.value)


def test_an_address_of_another_type_is_one_clear_error() -> None:
    with pytest.raises(RedisUrlError, match="expected str, got int"):
        check_url(6379)  # type: ignore[arg-type]


@pytest.mark.parametrize("url", WITH_PASSWORD)
def test_no_password_is_shown(url: str, tmp_path) -> None:
    shown = [safe_url(url), str(ServerAddress(url, "x")), repr(ServerAddress(url, "x"))]
    try:
        shown.append(str(locate(tmp_path, url)))
    except RedisUrlError as error:
        shown += [str(error), repr(error)]
    for text in shown:
        assert "S3" not in text
        assert "CRET" not in text


@given(st.text(min_size=4).filter(lambda word: word not in "redis://alice:***@head:6379/0"))
def test_no_password_of_any_kind_is_shown(password: str) -> None:
    assert password not in safe_url(f"redis://alice:{password}@head:6379/0")
    assert password not in safe_url(f"redis://:{password}@head:6379/0")


@pytest.mark.parametrize("url", ["redis://head:6379/0", "unix:///tmp/redis.sock", "redis://head?db=1"])
def test_an_address_without_password_is_shown_as_it_is(url: str) -> None:
    assert safe_url(url) == url


def test_user_and_host_stay_visible() -> None:
    assert safe_url("rediss://alice:secret@head:6380/0") == "rediss://alice:***@head:6380/0"
