"""Two builds of the image: what `image/compare.py` calls the same, and what not."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType

import pytest

from tests.image_programs import load

SIGNATURE = b"signature, never twice the same"


@pytest.fixture(name="compare")
def _compare() -> ModuleType:
    return load("compare")


@pytest.fixture(name="builds")
def _builds(tmp_path: Path) -> tuple[Path, Path]:
    """Two of one source by the same keys."""
    one, other = tmp_path / "one", tmp_path / "other"
    (one / "root/etc/rauc").mkdir(parents=True)
    (one / "root/etc/rauc/keyring.pem").write_text("keyring")
    (one / "root/etc/hostname").write_text("parkbox\n")
    (one / "root/etc/mtab").symlink_to("/proc/mounts")
    for name in ("boot.img", "sbom.json", "u-boot.bin", "root.squashfs", "system.img", "parkbox.img"):
        (one / name).write_text(name)
    sealed(one, b"content", SIGNATURE)
    shutil.copytree(one, other, symlinks=True)
    return one, other


def sealed(build: Path, content: bytes, signature: bytes) -> None:
    (build / "parkbox.raucb").write_bytes(content + signature + len(signature).to_bytes(8, "big"))


def told(compare: ModuleType, builds: tuple[Path, Path], out: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = compare.main([str(build) for build in builds])
    return code, out.readouterr().out


def test_the_same_but_for_the_bundles_signature(
    compare: ModuleType, builds: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    sealed(builds[1], b"content", SIGNATURE[::-1] + b"longer")
    assert told(compare, builds, capsys)[0] == 0


def test_another_bundle_is_no_other_signature(
    compare: ModuleType, builds: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    sealed(builds[1], b"CONTENT", SIGNATURE)
    code, text = told(compare, builds, capsys)
    assert code == 1 and "parkbox.raucb" in text


def test_keys_of_ones_own_explain_the_keyring_and_nothing_else(
    compare: ModuleType, builds: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    other = builds[1]
    (other / "root/etc/rauc/keyring.pem").write_text("another keyring")
    (other / "parkbox.img").write_text("holds the keyring")
    assert told(compare, builds, capsys)[0] == 0
    (other / "boot.img").write_text("holds none")
    code, text = told(compare, builds, capsys)
    assert code == 1 and "boot.img" in text


@pytest.mark.parametrize("change", ["content", "mode", "link", "more", "less"])
def test_every_change_of_the_root_is_named(
    compare: ModuleType, builds: tuple[Path, Path], capsys: pytest.CaptureFixture[str], change: str
) -> None:
    etc = builds[1] / "root/etc"
    name = "mtab" if change == "link" else "new" if change == "more" else "hostname"
    if change == "content":
        (etc / name).write_text("PARKBOX\n")
    elif change == "mode":
        (etc / name).chmod(0o600)
    elif change == "link":
        (etc / name).unlink()
        (etc / name).symlink_to("/proc/self/mounts")
    elif change == "more":
        (etc / name).mkdir()
    else:
        (etc / name).unlink()
    code, text = told(compare, builds, capsys)
    assert code == 1 and f"root/etc/{name}:" in text


def test_what_is_no_build_is_said(
    compare: ModuleType, builds: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (builds[1] / "parkbox.raucb").write_bytes(b"short")
    assert compare.main([str(build) for build in builds]) == 2
    assert "parkbox.raucb" in capsys.readouterr().err
    assert compare.main(["one"]) == 2
