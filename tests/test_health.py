"""Health over the two real programs: well when both work, not when one is gone or the configuration is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.box.health_command import lane_trouble, look, page_trouble
from edge.cli import main
from edge.config.load import load
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
            assert page_trouble(config) != ""
            assert main(command) == 1
            with box.agent() as agent:
                agent.await_ready()
                until(lambda: look(config) == "", "well")
                before = len(box.facts())
                assert main(command) == 0
                assert len(box.facts()) > before  # the order went through the ledger and back
                assert engine.asked() == ["status mark-good"]
                assert box.faults() == set()
            assert main(command) == 1
        assert engine.asked() == ["status mark-good"]
        assert "not well" in capsys.readouterr().err


def test_a_broken_configuration_is_not_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "box.toml").write_text("[box]\n")
    assert main(["health", str(tmp_path / "box.toml")]) == 2
    assert "box.id" in capsys.readouterr().err
