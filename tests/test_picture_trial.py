"""The test picture of a new system on trial: made by the real child, kept nowhere, and missed when it is not made."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from edge.agent import picture_trial
from edge.agent.picture_trial import HEIGHT_PX, WIDTH_PX, PictureTrial, grey_jpeg
from edge.box import health_command
from edge.box.health_command import picture_trouble
from edge.config.load import load
from edge.config.model import Config
from edge.evidence.jobs import NICE, Child, worker_command
from edge.evidence.keys import KEY_NAME, load_or_make
from tests.program_rig import until
from tests.sandboxed import lacks

ROOT = Path(__file__).resolve().parent.parent
AGENT = ROOT / "systemd/parkbox-agent.service"
WITHIN_S = 120.0


def config_at(data: Path) -> Config:
    data.mkdir()
    config = load(ROOT / "configs/entry-exit.toml")
    return msgspec.structs.replace(config, box=msgspec.structs.replace(config.box, data_dir=str(data)))


def files_in(data: Path) -> dict[str, bytes]:
    return {str(path.relative_to(data)): path.read_bytes() for path in data.rglob("*") if path.is_file()}


def word_of(config: Config, marker: Path, make_child: Callable[[Path], Child] = Child) -> str:
    """What is said once it is no longer awaited."""
    died: list[BaseException] = []
    trial = PictureTrial(config, died=died.append, marker=marker, make_child=make_child)
    trial.start()
    try:
        until(lambda: trial.word() != "waiting", "an end of the test picture", WITHIN_S)
        return trial.word()
    finally:
        trial.stop()
        assert died == []


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    path = tmp_path / "parkbox-trial"
    path.touch()
    return path


def test_the_grey_picture_is_one_for_a_decoder_of_others() -> None:
    image = cv2.imdecode(np.frombuffer(grey_jpeg(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    assert image.shape == (HEIGHT_PX, WIDTH_PX)
    assert np.unique(image).tolist() == [128]


def test_a_picture_is_made_and_nothing_of_it_stays(tmp_path: Path, marker: Path) -> None:
    config = config_at(tmp_path / "data")
    data = Path(config.box.data_dir)
    load_or_make(data)
    (data / picture_trial.FOLDER).mkdir()
    (data / picture_trial.FOLDER / "of a power cut").touch()
    before = files_in(data)
    before.pop(f"{picture_trial.FOLDER}/of a power cut")
    assert word_of(config, marker) == "ok"
    assert files_in(data) == before
    assert not (data / picture_trial.FOLDER).exists()


def test_a_new_box_gets_no_key_from_it(tmp_path: Path, marker: Path) -> None:
    config = config_at(tmp_path / "data")
    assert word_of(config, marker) == "ok"
    assert files_in(Path(config.box.data_dir)) == {}


def test_without_a_trial_no_child_is_made(tmp_path: Path) -> None:
    def none(_folder: Path) -> Child:
        raise AssertionError("a child was made")

    trial = PictureTrial(config_at(tmp_path / "data"), died=lambda _: None, marker=tmp_path / "no", make_child=none)
    trial.start()
    assert trial.word() == ""
    trial.stop()


def test_a_key_that_others_may_read_is_found(tmp_path: Path, marker: Path) -> None:
    config = config_at(tmp_path / "data")
    load_or_make(Path(config.box.data_dir))
    (Path(config.box.data_dir) / KEY_NAME).chmod(0o644)
    assert word_of(config, marker) == "failing"


def test_a_child_that_never_comes_up_is_found_and_ends_with_the_program(tmp_path: Path, marker: Path) -> None:
    def broken(folder: Path) -> Child:
        return Child(folder, lambda _data: [sys.executable, "-c", "raise SystemExit('no OpenCV here')"])

    assert word_of(config_at(tmp_path / "data"), marker, broken) == "failing"


@pytest.mark.skipif(bool(lacks()), reason=f"not here: {', '.join(lacks())}")
@pytest.mark.parametrize("strict", [False, True], ids=["the unit's filter", "without setpriority"])
def test_a_filter_that_keeps_the_child_from_its_work_is_found(tmp_path: Path, marker: Path, strict: bool) -> None:
    unit = AGENT
    if strict:  # the filter that once kept every picture from being made
        text = AGENT.read_text("utf-8")
        assert " setpriority\n" in text
        unit = tmp_path / "strict.service"
        unit.write_text(text.replace(" setpriority\n", "\n"), "utf-8")
    assert NICE > 0

    def filtered(folder: Path) -> Child:
        head = [sys.executable, "-m", "tests.sandboxed", str(unit)]
        return Child(folder, lambda data: [*head, *worker_command(data)])

    assert word_of(config_at(tmp_path / "data"), marker, filtered) == ("failing" if strict else "ok")


@pytest.mark.parametrize("word", ["waiting", "failing", ""])
def test_a_trial_without_its_picture_is_not_well(word: str) -> None:
    assert picture_trouble("ok") == ""
    assert any("\u4e00" <= letter <= "\u9fff" for letter in picture_trouble(word))


def test_only_a_trial_asks_for_the_picture(tmp_path: Path, marker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def page(_config: Config, *, on_trial: bool) -> str:
        asked.append(on_trial)
        return ""

    monkeypatch.setattr(health_command, "page_trouble", page)
    monkeypatch.setattr(health_command, "lane_trouble", lambda _config: "")
    monkeypatch.setattr(health_command, "listener_trouble", lambda _config: "")
    config = config_at(tmp_path / "data")
    assert health_command.look(config, tmp_path / "no") == health_command.look(config, marker) == ""
    assert asked == [False, True]
