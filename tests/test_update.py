"""Updates through a stand-in for the engine that prints what rauc prints: progress, refusals, slots."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge.agent.update import AgentUpdate
from edge.box.update_rauc import Slot, UpdateError, install, mark_good, read_slots, slots
from edge.box.update_state import ASKED, BUNDLE, STATE, State, keep_state, read_state
from edge.cli import main
from edge.wall_clock import boot_id
from edge.web.desk import RefusedError
from tests.backup_site import Site
from tests.program_rig import until
from tests.update_engine import Engine

LOOK = """#!/bin/sh
# An engine that notes what lies in the folder of bundles while it works.
ls {folder} > {seen}
cat {folder}/state.json >> {seen}
"""
HANGS = """#!/bin/sh
# An engine that comes to no end.
echo ' 40% Copying image to rootfs.1'
exec cat {fifo}
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine(tmp_path)
    monkeypatch.setenv("PATH", f"{made.path}:/usr/bin:/bin")
    return made


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "parkbox 0.2.0.raucb"  # a name with a space
    path.write_text("good")
    return path


def test_progress_is_told_as_it_comes(engine: Engine, bundle: Path) -> None:
    told: list[tuple[int, str]] = []
    install(bundle, lambda percent, text: told.append((percent, text)))
    assert told == [(0, "Installing"), (20, "Checking bundle done."), (40, "Copying image to rootfs.1"),
                    (80, "Copying image to rootfs.1 done."), (100, "Installing done.")]  # fmt: skip
    assert engine.asked() == [f"install {bundle}"]


def test_a_wrong_signature_is_refused_in_words(
    engine: Engine, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle.write_text("evil")
    assert main(["update", str(bundle)]) == 1
    said = capsys.readouterr().err
    assert "signature verification failed" in said and "现用系统不变" in said


@pytest.mark.parametrize(
    ("why", "zh", "en"),
    [
        ("signature verification failed: Verify error: unable to get issuer", "签名不符", "not signed"),
        ("Compatible mismatch: Expected 'parkbox-arm64' but bundle manifest has 'x'", "不是此型号", "another kind"),
        ("Signature size (3543824036068086856) exceeds bundle size", "不是更新包", "no update bundle"),
        ("Failed to open slot device: No space left on device", "No space left", "No space left"),
    ],
)
def test_why_a_bundle_was_refused_is_said_in_both_languages(
    engine: Engine, bundle: Path, why: str, zh: str, en: str
) -> None:
    """The engine's own words (the binary of trixie's rauc 1.13 has them) stay behind ours: who helps needs them."""
    bundle.write_text(f"evil: {why}\n")
    with pytest.raises(UpdateError) as caught:
        install(bundle, lambda percent, text: None)
    chinese, _, english = str(caught.value).partition(" / ")
    assert zh in chinese and why in chinese and en in english and why in english


def test_the_command_says_what_comes_next(engine: Engine, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["update", str(bundle)]) == 0
    out = capsys.readouterr().out
    assert " 40% Copying image to rootfs.1\n" in out and "systemctl reboot" in out


def test_a_machine_without_an_engine_says_so(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["update", str(bundle)]) == 1
    assert "no update engine (rauc)" in capsys.readouterr().err


def test_a_file_that_is_not_there(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["update", str(tmp_path / "none.raucb")]) == 1
    assert "no such file" in capsys.readouterr().err
    assert engine.asked() == []


def test_slots(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert slots() == (Slot("rootfs.1", "B", False, False, "0.2.0", True), Slot("rootfs.0", "A", True, True, "", False))
    assert main(["update", "--slots"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "B  0.2.0  备用 the other  下次启动 next  未确认 not confirmed", "A  出厂 as flashed  运行中 running",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"slots": [{"a": 1}]}', '{"slots": [{}]}'])
def test_a_status_of_another_form_is_an_error_in_words(engine: Engine, text: str) -> None:
    engine.status.write_text(text)
    with pytest.raises(UpdateError, match="not understood"):
        slots()


def test_a_status_of_one_slot_only_has_no_other() -> None:
    assert read_slots(json.dumps({"slots": []})) == ()


def test_the_page_s_bundle_is_installed_and_told(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / BUNDLE).write_text("good")
    (tmp_path / ASKED).write_text("{}")
    assert main(["update", "--asked", "--folder", str(tmp_path)]) == 0
    found = read_state(tmp_path)
    assert found is not None
    assert (found.phase, found.percent) == ("installed", 100)
    assert not (tmp_path / ASKED).exists() and not (tmp_path / BUNDLE).exists()


def test_a_request_is_gone_and_the_state_there_before_the_engine_begins(engine: Engine, tmp_path: Path) -> None:
    """A bundle that brings the box down is not tried at each boot; and the page takes no other one meanwhile."""
    folder = tmp_path / "bundles"
    folder.mkdir()
    (folder / BUNDLE).write_text("good")
    (folder / ASKED).write_text("{}")
    (Path(engine.path) / "rauc").write_text(LOOK.format(folder=folder, seen=tmp_path / "seen"))
    assert main(["update", "--asked", "--folder", str(folder)]) == 0
    names, _, state = (tmp_path / "seen").read_text().rpartition("\n")
    assert names.split() == ["state.json", BUNDLE] and json.loads(state)["phase"] == "installing"


@pytest.mark.parametrize(("content", "restarts"), [("good", True), ("evil", False)])
def test_the_box_restarts_into_what_was_written_only(
    engine: Engine, tmp_path: Path, content: str, restarts: bool
) -> None:
    systemctl = Path(engine.path) / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "systemctl $@" >> {engine.log}\n')
    systemctl.chmod(0o755)
    (tmp_path / BUNDLE).write_text(content)
    (tmp_path / ASKED).write_text("{}")
    main(["update", "--asked", "--reboot", "--folder", str(tmp_path)])
    assert ("systemctl reboot" in engine.asked()) is restarts


def test_the_page_s_bundle_with_a_wrong_signature(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / BUNDLE).write_text("evil")
    (tmp_path / ASKED).write_text("{}")
    assert main(["update", "--asked", "--folder", str(tmp_path)]) == 1
    found = read_state(tmp_path)
    assert isinstance(found, State)
    assert found.phase == "failed" and "signature verification failed" in found.text
    assert not (tmp_path / ASKED).exists()  # the path unit would start it for ever


def test_an_updater_that_was_killed_is_a_failed_update_and_the_page_takes_the_next(
    engine: Engine, tmp_path: Path
) -> None:
    """In the same boot: by the kernel when memory is short, or by a person."""
    site = Site(tmp_path / "site", 1)
    site.close()
    folder = tmp_path / "bundles"
    folder.mkdir()
    page = AgentUpdate(site.config, lambda: 5, folder)
    page.piece(0, b"good")
    page.install(4, "admin")
    os.mkfifo(tmp_path / "fifo")
    rauc = Path(engine.path) / "rauc"
    works = rauc.read_text()
    rauc.write_text(HANGS.format(fifo=tmp_path / "fifo"))
    command = [sys.executable, "-m", "edge.cli", "update", "--asked", "--folder", str(folder)]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL) as updater:
        try:
            until(lambda: page.view().percent == 40, "the engine at work", 60)
            assert page.view().phase == "installing"
            with pytest.raises(RefusedError, match="being written"):
                page.piece(0, b"x")
        finally:
            os.killpg(updater.pid, signal.SIGKILL)  # as systemd ends a unit: all of it
    rauc.write_text(works)
    view = page.view()
    assert (view.phase, view.percent, len(view.slots)) == ("failed", 40, 2)
    assert "中途终止" in view.zh and "ended before its time" in view.en
    assert page.piece(0, b"good").ok and page.install(4, "admin").ok
    assert main(["update", "--asked", "--folder", str(folder)]) == 0
    assert page.view().phase == "installed"


def test_a_state_that_cannot_be_kept_ends_the_update_in_words(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / BUNDLE).write_text("good")
    (tmp_path / ASKED).write_text("{}")

    def keep(folder: Path, state: State) -> None:
        if state.percent == 40:
            raise OSError(5, "Input/output error")
        keep_state(folder, state)

    monkeypatch.setattr("edge.box.update_command.keep_state", keep)
    assert main(["update", "--asked", "--folder", str(tmp_path)]) == 1
    assert "Input/output error" in capsys.readouterr().err
    found = read_state(tmp_path)
    assert found is not None
    assert found.phase == "failed" and "更新中断: [Errno 5]" in found.text
    assert not (tmp_path / ASKED).exists() and not (tmp_path / BUNDLE).exists()


def test_a_state_is_the_page_s_to_read_or_not_there(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An updater that ended between name and owner left a file of root's, at which the page failed at every look."""
    def refuses(*_owner: object) -> None:
        raise OSError(30, "Read-only file system")

    (tmp_path / BUNDLE).write_text("good")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", refuses)
    assert main(["update", "--asked", "--folder", str(tmp_path)]) == 1
    assert not (tmp_path / STATE).exists()


def test_a_state_of_an_updater_that_is_gone_has_failed(tmp_path: Path) -> None:
    keep_state(tmp_path, State("installing", 40, "Copying image to rootfs.1", 1, boot_id()))
    found = read_state(tmp_path)
    assert found is not None
    assert (found.phase, found.percent) == ("failed", 40)
    (tmp_path / STATE).write_bytes(b'{"phase":"\xff"}')
    assert read_state(tmp_path) is None  # damaged: the next one replaces it


def test_a_slot_is_confirmed(engine: Engine) -> None:
    mark_good()
    assert engine.asked() == ["status mark-good"]
    engine.broken.touch()
    with pytest.raises(UpdateError, match="no bootloader"):
        mark_good()
