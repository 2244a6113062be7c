"""Sign and password: the standard's worked example, and the same by other programs."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.cities.shenzhen.password import des_cbc, on_the_wire
from edge.cities.shenzhen.sign import Signing, digest, fits, sorted_again, sorted_json

# 7.1.4.1.1 e): parameters, sorted text and sign as printed (the text without its blanks; SHA1 recomputed).
PARAMETERS = {
    "userId": "cadre01",
    "password": "205af3fa28810be321ef49d0993fee24",
    "callbackServer": "http://www.cncadre.com/",
}
STRING_A = (
    b'{"callbackServer":"http://www.cncadre.com/","password":"205af3fa28810be321ef49d0993fee24","userId":"cadre01"}'
)
SIGN = "59f5688227e06ae8059cba5286a700c95103353b"


def test_the_worked_example() -> None:
    assert sorted_json(PARAMETERS) == STRING_A
    assert digest("sha1", STRING_A) == SIGN
    assert Signing(scope="element").of(b"[" + STRING_A + b"]", 1) == SIGN


def test_by_default_the_whole_list_is_signed() -> None:
    """SC02. printf '[...]' | sha1sum, | md5sum."""
    data = b"[" + STRING_A + b"]"
    assert Signing().of(data, 1) == "25330ce117fba3d00dd4d47167f3118274551302"
    assert Signing("md5").of(data, 1) == hashlib.md5(data).hexdigest()


def openssl_digest(algorithm: str, text: bytes) -> str:
    command = ["openssl", "dgst", f"-{algorithm}", "-r"]
    return subprocess.run(command, input=text, check=True, capture_output=True).stdout.decode().split()[0]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command here")
@pytest.mark.parametrize("algorithm", ["sha1", "md5"])
def test_openssl_signs_alike(algorithm: str) -> None:
    text = sorted_json([{"车": "粤B88888", "a/b": 20.5, "A": [{"z": 1, "y": None}]}])
    assert digest(algorithm, text) == openssl_digest(algorithm, text)  # type: ignore[arg-type]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command here")
@pytest.mark.parametrize("password", ["a", "password1", "12345678", "密码 with blank", "x" * 40])
def test_openssl_encrypts_alike(password: str) -> None:
    key, iv = b"k3y-0f-8", b"1v-0f-8!"
    command = ["openssl", "enc", "-des-cbc", "-provider", "legacy", "-provider", "default", "-base64", "-A"]
    command += ["-K", key.hex(), "-iv", iv.hex()]
    theirs = subprocess.run(command, input=password.encode(), check=True, capture_output=True).stdout.decode()
    assert des_cbc(password.encode(), key, iv) == theirs


def test_password_forms() -> None:
    # printf password1 | openssl enc -des-cbc -K 3132333435363738 -iv 3132333435363738 -base64
    assert on_the_wire("password1", "des", b"12345678") == "FZz3LAvSqBhbMeI7Hwg+qA=="
    assert on_the_wire("password1", "md5", b"") == "7c6a180b36896a0a8c02787eeafb0e4c"
    assert on_the_wire("password1", "plain", b"") == "password1"
    with pytest.raises(ValueError, match="key: 7 bytes"):
        on_the_wire("password1", "des", b"1234567")


def test_every_reading_of_the_platforms_sign_is_accepted() -> None:
    """SC01 to SC04: SHA1 or MD5, any case, leading blank, over the text as it stands or sorted, list or element."""
    printed = b'[ {"b": 20.00, "a": "x/y"} ]'
    again = b'[{"a":"x/y","b":20.00}]'
    texts = [printed, again, again[1:-1], b'{"b": 20.00, "a": "x/y"}']
    for text in texts:
        assert fits(hashlib.sha1(text).hexdigest(), printed)
        assert fits(" " + hashlib.md5(text).hexdigest().upper(), printed)
    assert not fits(hashlib.sha1(b'[{"a":"x/y","b":20.0}]').hexdigest(), printed)
    assert not fits(" 3535346546be81f014d9beb8098765", printed)
    assert not fits("", printed)
    assert fits(hashlib.sha1(again + b"secret").hexdigest(), printed, "secret")
    assert not fits(hashlib.sha1(again).hexdigest(), printed, "secret")


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_sorted_text_is_that_of_the_standard_library(value: object) -> None:
    theirs = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assume("\x7f" not in theirs)  # the one control character that the two libraries write otherwise
    assert json.loads(sorted_again(theirs.encode())) == value
    assert sorted_json(json.loads(theirs)) == sorted_again(theirs.encode())


def test_numbers_keep_their_text() -> None:
    assert sorted_again(b'{"b": 20.00, "a": 44030400100101000010}') == b'{"a":44030400100101000010,"b":20.00}'
    with pytest.raises(ValueError, match="not JSON"):
        sorted_again(b"[")
