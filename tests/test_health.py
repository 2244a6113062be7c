"""Health over the two real programs: well when both work, not when one is gone or the configuration is broken."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.ask_lane import LaneAnswer, ask_lane
from edge.box import health_command
from edge.box.health_command import lane_trouble, listener_trouble, look, page_trouble
from edge.cli import main
from edge.config.load import load
from edge.web.desk import RefusedError
from tests.program_rig import box_in, until
from tests.update_engine import Engine


def test_a_box_is_well_only_while_both_programs_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = Engine(tmp_path)
    monkeypatch.setenv("PATH", f"{engine.path}:/usr/bin:/bin")
    with box_in(tmp_path / "box") as box:
        config = load(box.config)
        command = ["health", str(box.config), "--within", "0", "--mark-good"]
        assert main(command) == 1  # nothing runs
        with box.lane() as lane:
            lane.await_ready()
            assert lane_trouble(config) == ""
            assert listener_trouble(config) == ""
            assert page_trouble(config) != ""
            assert main(command) == 1
            with box.agent() as agent:
                agent.await_ready()
                until(lambda: look(config) == "", "well")
                assert "says nothing of a test picture" in page_trouble(config, on_trial=True)  # it knows of no trial
                before = len(box.facts())
                assert main(command) == 0
                assert len(box.facts()) > before  # the order went through the ledger and back
                assert engine.asked() == ["status mark-good"]
                assert box.faults() == set()
            assert main(command) == 1
        assert engine.asked() == ["status mark-good"]
        assert "not well" in capsys.readouterr().err


def test_on_trial_it_is_well_when_the_test_picture_is_made(tmp_path: Path) -> None:
    trial = tmp_path / "parkbox-trial"
    trial.touch()
    with box_in(tmp_path / "box") as box, box.lane() as lane, box.agent({"trial": str(trial)}) as agent:
        lane.await_ready()
        agent.await_ready()
        config = load(box.config)
        until(lambda: look(config, trial) == "", "well with its picture", 120.0)
        assert "the test picture was made" in agent.log.read_text("utf-8")
        assert main(["health", str(box.config), "--within", "60", "--trial", str(trial)]) == 0
        assert not (box.data / "pictures").exists()
        assert not (box.data / "picture-trial").exists()


def test_a_broken_configuration_is_not_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "box.toml").write_text("[box]\n")
    assert main(["health", str(tmp_path / "box.toml")]) == 2
    assert "box.id" in capsys.readouterr().err


def test_a_simulated_car_leaves_nothing_behind(tmp_path: Path) -> None:
    with box_in(tmp_path / "box") as box, box.lane() as lane:
        lane.await_ready()

        raised = [bay.raised for bay in box.bays.values()]
        answer = box.ask({"op": "self_test"})
        assert answer["ok"], answer
        order = {"action": "acknowledge_fault", "fault": "none", "why": "test"}
        assert "none" in box.command("behind it", "", **order)["en"]  # what the ledger was given before it is durable
        kinds = [fact.kind for fact in box.facts()]
        assert kinds.count("BoxStarted") == kinds.count("Ordered") == 1
        assert not {"ReadTaken", "Decided", "Passed", "ArmOrdered"} & set(kinds)
        assert [bay.raised for bay in box.bays.values()] == raised
        assert all(one["passed"] == 0 and not one["plate"] for one in box.view()["lanes"])


@pytest.mark.parametrize("silent", [False, True])
def test_a_lane_whose_simulated_car_does_not_pass_is_not_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silent: bool
) -> None:
    real = ask_lane

    def without_passage(path: Path, question: dict[str, Any]) -> LaneAnswer:
        if question["op"] != "self_test":
            return real(path, question)
        if silent:
            raise RefusedError("lane_silent", "没有应答", "no answer", 2)
        return LaneAnswer(ok=False, zh="in1: 未要求抬杆", en="in1: the arm was not asked up")

    with box_in(tmp_path / "box") as box, box.lane() as lane:
        lane.await_ready()
        config = load(box.config)
        assert lane_trouble(config) == ""
        monkeypatch.setattr(health_command, "ask_lane", without_passage)
        assert ("no answer" if silent else "in1: 未要求抬杆 / in1: the arm was not asked up") in lane_trouble(config)


def test_a_port_for_cameras_that_is_silent_or_talks_nonsense_is_not_well(tmp_path: Path) -> None:
    with box_in(tmp_path / "box") as box:
        config = load(box.config)
        assert "does not answer" in listener_trouble(config)  # nothing runs
        with socket.create_server((config.listener.host, config.listener.port)) as server:

            def babble() -> None:
                line, _peer = server.accept()
                with line:
                    line.sendall(b"220 mail\r\n")

            other = threading.Thread(target=babble)
            other.start()
            assert "does not answer" in listener_trouble(config)
            other.join()
        lanes = [msgspec.structs.replace(lane, camera=[]) for lane in config.lane]
        assert listener_trouble(msgspec.structs.replace(config, lane=lanes)) == ""  # nobody pushes
