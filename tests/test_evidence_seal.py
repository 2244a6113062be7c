"""The seal: any change is seen and named, other libraries agree, and a picture that was taken out leaves a gap."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.signing import VerifyKey

from edge.cli import main
from edge.config.durable import write_durably
from edge.evidence.keys import KEY_NAME, PUBLIC_NAME, KeyFileError, check_code, load_or_make, load_public
from edge.evidence.look import SEAL_ROOM_BYTES
from edge.evidence.seal import judge, seal
from tests.evidence_tools import claim, jpeg, pixels, scene

SOURCE = jpeg(scene(320, 240))


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def test_an_untouched_picture_and_what_its_seal_says(key: Ed25519PrivateKey) -> None:
    sealed, digest = seal(SOURCE, claim(), key)
    verdict = judge(sealed, public(key))
    assert verdict.state == "untouched"
    assert verdict.digest == digest
    assert verdict.claim is not None
    assert (verdict.claim.plate, verdict.claim.chain) == ("鲁A12345", 1)
    assert len(sealed) - len(SOURCE) <= SEAL_ROOM_BYTES
    assert (pixels(sealed) == pixels(SOURCE)).all()
    assert judge(SOURCE).state == "no_seal"
    assert judge(b"").state == "no_seal"


def test_a_change_of_picture_of_data_and_another_key_are_told_apart(key: Ed25519PrivateKey) -> None:
    sealed, _ = seal(SOURCE, claim(), key)
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    forged, _ = seal(SOURCE, claim(plate="鲁B99999"), other)
    picture = bytearray(sealed)
    picture[-100] ^= 1
    data = sealed.replace("鲁A12345".encode(), "鲁A12346".encode())
    grafted = forged.replace(public(other), public(key))
    assert judge(bytes(picture), public(key)).state == "picture_changed"
    assert judge(sealed + b"x", public(key)).state == "picture_changed"
    assert (judge(data, public(key)).state, judge(data, public(key)).also_picture) == ("data_changed", False)
    assert judge(forged, public(key)).state == "foreign_key"
    assert judge(forged).state == "untouched"
    assert judge(grafted, public(key)).state == "data_changed"
    picture[sealed.index("鲁".encode())] ^= 1
    assert (judge(bytes(picture)).state, judge(bytes(picture)).also_picture) == ("data_changed", True)


def test_a_seal_cut_out_of_one_picture_does_not_fit_another(key: Ed25519PrivateKey) -> None:
    sealed, _ = seal(SOURCE, claim(), key)
    begin = look_at_seal(sealed)
    segment = sealed[begin : begin + 2 + int.from_bytes(sealed[begin + 2 : begin + 4])]
    other = jpeg(scene(320, 240, seed=2))
    moved = other[:20] + segment + other[20:]
    assert judge(moved, public(key)).state == "picture_changed"


def look_at_seal(sealed: bytes) -> int:
    return sealed.index(b"parkbox-seal\0") - 4


def test_no_single_changed_byte_of_the_file_goes_unseen(key: Ed25519PrivateKey) -> None:
    sealed, _ = seal(SOURCE, claim(), key)
    begin = look_at_seal(sealed)
    places = set(range(begin - 30, begin + 1100)) | set(random.Random(1).sample(range(len(sealed)), 500))
    for place in sorted(places):
        for flip in (1, 0x80):
            changed = bytearray(sealed)
            changed[place] ^= flip
            assert judge(bytes(changed), public(key)).state != "untouched", f"byte {place}"
    for length in range(0, len(sealed), 97):
        assert judge(sealed[:length], public(key)).state != "untouched"


def test_other_libraries_agree_on_signature_and_digest(key: Ed25519PrivateKey, tmp_path: Path) -> None:
    """Read by the layout that seal.py states, checked by libsodium and by the openssl command."""
    sealed, _ = seal(SOURCE, claim(), key)
    begin = look_at_seal(sealed)
    end = begin + 2 + int.from_bytes(sealed[begin + 2 : begin + 4])
    content = sealed[begin + 4 : end]
    raw_key, signature, text = content[14:46], content[46:110], content[110:]
    said = json.loads(text)
    assert said["picture_sha256"] == hashlib.sha256(sealed[:begin] + sealed[end:]).hexdigest()
    assert VerifyKey(raw_key).verify(b"parkbox-seal-1\0" + text, signature)
    if shutil.which("openssl") is None:
        pytest.skip("no openssl command here: only libsodium agreed")
    # RFC 8410: the DER of an Ed25519 public key is this prefix and the 32 bytes.
    (tmp_path / "key.der").write_bytes(bytes.fromhex("302a300506032b6570032100") + raw_key)
    (tmp_path / "text").write_bytes(b"parkbox-seal-1\0" + text)
    (tmp_path / "signature").write_bytes(signature)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-rawin"]
    command += ["-in", "text", "-sigfile", "signature"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "Signature Verified Successfully" in done.stdout) == (0, True)


TOOLS = [
    ["djpeg", "-strict", "-outfile", os.devnull],
    ["jpeginfo", "-c"],
    ["exiftool", "-validate", "-warning", "-error", "-a"],
]
UNKNOWN = "[minor] Unknown APP10 'parkbox-seal' segment"  # all that exiftool has to say


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool[0])
def test_other_programs_accept_a_sealed_picture_and_refuse_a_cut_one(
    tool: list[str], key: Ed25519PrivateKey, tmp_path: Path
) -> None:
    if shutil.which(tool[0]) is None:
        pytest.skip(f"no {tool[0]} here (Debian: libjpeg-turbo-progs, jpeginfo, libimage-exiftool-perl)")
    for source in (SOURCE, jpeg(scene(320, 240), progressive=True)):
        sealed, _ = seal(source, claim(), key)
        path = tmp_path / "picture.jpg"
        path.write_bytes(sealed)
        done = subprocess.run([*tool, str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        lines = (done.stdout + done.stderr).splitlines()
        said = [line for line in lines if not line.endswith(UNKNOWN) and not line.startswith("Validate")]
        assert "arning" not in "".join(said)
    path.write_bytes(sealed[:300])
    cut = subprocess.run([*tool, str(path)], capture_output=True, text=True, check=False)
    assert cut.returncode != 0 or "format error" in cut.stdout


# --- key --------------------------------------------------------------------------------------------------------


def test_the_key_is_made_once_and_is_for_the_owner_alone(tmp_path: Path) -> None:
    first = load_or_make(tmp_path)
    assert public(load_or_make(tmp_path)) == public(first)
    assert (tmp_path / KEY_NAME).stat().st_mode & 0o777 == 0o600
    assert load_public(tmp_path / PUBLIC_NAME) == public(first)
    hexed = tmp_path / "key.hex"
    hexed.write_text(public(first).hex() + "\n")
    assert load_public(hexed) == public(first)
    assert public(load_or_make_in(tmp_path / "other")) != public(first)


def load_or_make_in(folder: Path) -> Ed25519PrivateKey:
    folder.mkdir()
    return load_or_make(folder)


def test_a_key_that_others_could_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    load_or_make(tmp_path)
    (tmp_path / KEY_NAME).chmod(0o640)
    with pytest.raises(KeyFileError, match="mode is 640, 只允许 allowed 600"):
        load_or_make(tmp_path)
    (tmp_path / KEY_NAME).chmod(0o600)
    with pytest.raises(KeyFileError, match="private key"):
        load_public(tmp_path / KEY_NAME)
    (tmp_path / KEY_NAME).write_bytes(b"nonsense")
    with pytest.raises(KeyFileError, match=KEY_NAME):
        load_or_make(tmp_path)
    for wrong in (b"00" * 31, b"root:x:0:0:root:/root:/bin/sh\n", "密钥".encode(), b""):
        (tmp_path / PUBLIC_NAME).write_bytes(wrong)
        with pytest.raises(KeyFileError, match=r"不是 Ed25519 公钥, 须为 PEM 或 64 位十六进制.*no Ed25519 public key"):
            load_public(tmp_path / PUBLIC_NAME)


def test_the_printed_code_binds_what_is_printed(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    code = check_code(key, "a" * 32, "2026-11-22 13:42:08", "in1")
    assert len(code) == 10
    assert check_code(key, "a" * 32, "2026-11-22 13:42:08", "in1") == code
    assert check_code(key, "a" * 32, "2026-11-22 13:42:09", "in1") != code
    assert check_code(load_or_make(tmp_path), "a" * 32, "2026-11-22 13:42:08", "in1") != code


def test_a_file_is_written_beside_synced_renamed_and_its_folder_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr("edge.config.durable.sync_folder", lambda folder: order.append(f"folder {folder.name}"))
    monkeypatch.setattr(os, "fsync", lambda fd: order.append(f"sync {Path(os.readlink(f'/proc/self/fd/{fd}')).name}"))
    write_durably(tmp_path / "a.jpg", b"x" * 100_000)
    assert order == ["sync a.jpg.new", f"folder {tmp_path.name}"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]

    def broken(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="No space left"):
        write_durably(tmp_path / "a.jpg", b"y")
    assert (tmp_path / "a.jpg").read_bytes() == b"x" * 100_000
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


# --- the chain and the command ------------------------------------------------------------------------------


def lane_of(folder: Path, key: Ed25519PrivateKey, count: int, lane: str = "in1") -> list[Path]:
    paths, previous = [], ""
    for number in range(1, count + 1):
        sealed, previous = seal(SOURCE, claim(number, previous, lane), key)
        path = folder / f"2026112{number % 3}" / f"{lane}{number:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sealed)
        paths.append(path)
    return paths


def test_the_command_tells_what_a_picture_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = load_or_make(tmp_path)
    good = lane_of(tmp_path / "p", key, 1)[0]
    pub = str(tmp_path / PUBLIC_NAME)
    assert main(["verify", str(good), "--key", pub]) == 0
    shown = capsys.readouterr().out
    assert f"{good}: 未改动 untouched" in shown
    assert "鲁A12345" in shown
    assert "青岛崂山测试停车场 / in1 / 入场 in" in shown
    cases = {
        "picture changed": good.read_bytes() + b"x",
        "data changed": good.read_bytes().replace(b"CAM-0001", b"CAM-0002"),
        "no seal": SOURCE,
        "foreign key": seal(SOURCE, claim(), Ed25519PrivateKey.generate())[0],
    }
    for says, data in cases.items():
        path = tmp_path / "case.jpg"
        path.write_bytes(data)
        assert main(["verify", str(path), "--key", pub]) == 1
        assert says in capsys.readouterr().out
    assert main(["verify", str(good), "--key", str(good)]) == 2


def test_what_cannot_be_judged_is_not_called_untouched(
    tmp_path: Path, key: Ed25519PrivateKey, capsys: pytest.CaptureFixture[str]
) -> None:
    good, missing, empty = lane_of(tmp_path / "p", key, 1)[0], tmp_path / "missing.jpg", tmp_path / "empty"
    (empty / "below").mkdir(parents=True)
    (empty / "below" / "notes.txt").touch()
    for words, said in (
        ([missing], f"{missing}: 没有此文件 / no such file"), ([good, "--key", missing], f"{missing}: 没有此文件"),
        ([empty], f"{empty}: 文件夹中没有图片"), ([good.parent, empty], f"{empty}: 文件夹中没有图片"),
    ):  # fmt: skip
        assert main(["verify", *map(str, words)]) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.startswith(said)


def test_a_folder_shows_where_a_picture_was_taken_out(
    tmp_path: Path, key: Ed25519PrivateKey, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = lane_of(tmp_path, key, 9)
    lane_of(tmp_path, key, 3, lane="out1")
    assert main(["verify", str(tmp_path)]) == 0
    assert "12 pictures, 12 untouched, 0 breaks" in capsys.readouterr().out
    paths[4].unlink()
    paths[5].unlink()
    assert main(["verify", str(tmp_path)]) == 1
    assert f"2 missing between {paths[3]} .. {paths[6]}" in capsys.readouterr().out
    paths[0].unlink()
    for path in paths[6:]:
        path.unlink()
    shutil.copy(paths[1], tmp_path / "copy.jpg")
    assert main(["verify", str(tmp_path)]) == 0, "the oldest gone by age, and a copy, are no break"
    assert "1 before the oldest are gone" in capsys.readouterr().out


def test_a_picture_sealed_anew_in_the_place_of_another_is_seen(
    tmp_path: Path, key: Ed25519PrivateKey, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = lane_of(tmp_path, key, 5)
    original = paths[2].read_bytes()
    before = judge(paths[1].read_bytes()).digest
    paths[2].write_bytes(seal(SOURCE, claim(3, before, plate="鲁B88888"), key)[0])
    assert main(["verify", str(tmp_path)]) == 1
    assert f"does not follow the one before: {paths[2]} .. {paths[3]}" in capsys.readouterr().out
    (tmp_path / "original.jpg").write_bytes(original)
    assert main(["verify", str(tmp_path)]) == 1
    assert "two of one number" in capsys.readouterr().out
