"""Lines and signs in the configuration: what is right alone and wrong together, each with what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.config.load import load
from tests.config_rs485_text import CAMERA_LINE, LINES, SIGN
from tests.config_text import GOOD, issues_of

BOARD = """
[[board]]
id = "b"
line = "rs485-1"
model = "waveshare_relay_d"
"""


def test_a_sign_needs_three_settings_only(tmp_path: Path) -> None:
    path = tmp_path / "box.toml"
    path.write_text(GOOD + SIGN + LINES, encoding="utf-8")
    config = load(path)
    (sign,) = config.lane[-1].sign
    assert (sign.rows, sign.voice, sign.answers, sign.show.payment) == (2, False, False, ("{plate}", "请缴费{fee}元"))
    assert (config.line[0].baud, config.line[0].parity) == (9600, "N")


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        (SIGN, "lane[1].sign[0].line", "no [[line]] has this id; there are 无 none"),
        (SIGN + LINES + LINES, "line[1].id", "same as line[0].id"),
        (SIGN + SIGN + LINES, "lane[1].sign[1].id", "same as lane[1].sign[0].id"),
        (SIGN + SIGN.replace("sign-out", "b") + LINES, "lane[1].sign[1].address", "both would show it"),
        (SIGN + SIGN.replace("sign-out", "b") + "address = 0\n" + LINES, "lane[1].sign[1].address", "same as lane[1]"),
        (SIGN + "address = 256\n" + LINES, "lane[1].sign[0].address", "for olm 0..255"),
        (SIGN.replace("olm", "aa55") + "address = 1\nrows = 1\n" + LINES, "lane[1].sign[0].address", "has none"),
        (SIGN.replace("olm", "aa55") + LINES, "lane[1].sign[0].rows", "aa55 has 1"),
        (SIGN.replace("olm", "onbon") + "voice = true\n" + LINES, "lane[1].sign[0].voice", "does not speak"),
        (SIGN + LINES.replace("[[line]]", "[[line]]\nbaud = 9601"), "line[0].baud", "115200"),
        (SIGN + LINES.replace("[[line]]", "[[line]]\nbaud = 9600.0"), "line[0].baud", "115200"),
        (SIGN + LINES.replace("[[line]]", "[[line]]\nstop_bits = true"), "line[0].stop_bits", "1, 2"),
        (SIGN + LINES.replace("device =", "camera = 'cam-in1'\ndevice ="), "line[0].device", "exactly one"),
        (SIGN + '[[line]]\nid = "rs485-1"\n', "line[0].device", "exactly one"),
        (SIGN + CAMERA_LINE.replace("cam-in1", "cam-x"), "line[0].camera", "no camera has this id"),
        (SIGN + CAMERA_LINE + CAMERA_LINE.replace("rs485-1", "b"), "line[1].channel", "same as line[0]"),
        (SIGN + "answers = true\n" + CAMERA_LINE, "lane[1].sign[0].answers", "nothing answers through a camera"),
        (SIGN.replace("olm", "onbon") + CAMERA_LINE, "lane[1].sign[0].model", "nothing answers through a camera"),
        (SIGN + CAMERA_LINE + BOARD, "board[0].line", "no boards on this line"),
        (SIGN + '[lane.sign.show]\nidle = ["{plat}"]\n' + LINES, "lane[1].sign[0].show.idle", "{plate}, {fee}"),
        (SIGN + '[lane.sign.show]\nidle = ["{plate"]\n' + LINES, "lane[1].sign[0].show.idle", "braces"),
        (SIGN + '[lane.sign.show]\nidle = ["{plate!r}"]\n' + LINES, "lane[1].sign[0].show.idle", "takes no format"),
        (SIGN + '[lane.sign.show]\nidle = ["{plate:>9}"]\n' + LINES, "lane[1].sign[0].show.idle", "takes no format"),
        (SIGN + '[lane.sign.show]\nidle = ["a", "b", "c"]\n' + LINES, "lane[1].sign[0].show.idle", "than rows = 2"),
        (SIGN + "width_px = 128\n" + LINES, "lane[1].sign[0].width_px", "onbon only"),
        (SIGN.replace("olm", "onbon") + "answers = true\n" + LINES, "lane[1].sign[0].answers", "always answers"),
        (SIGN + LINES.replace("/dev/serial/by-id/usb-1", "/tmp"), "line[0].device", "no serial port"),
        (SIGN + LINES.replace("/dev/serial/by-id/usb-1", " "), "line[0].device", "a path like"),
        (SIGN + LINES.replace("/dev/serial/by-id/usb-1", "COM3"), "line[0].device", "a path like"),
        (SIGN + '[lane.sign.show]\nsay_wait = "🚗"\n' + LINES, "lane[1].sign[0].show.say_wait", "not in GBK"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(tmp_path: Path, text: str, path: str, words: str) -> None:
    found = issues_of(tmp_path, GOOD + text)
    assert words in found[path]


def test_one_port_under_two_names_is_one_port(tmp_path: Path) -> None:
    (tmp_path / "by-id").symlink_to("/dev/null")
    (tmp_path / "by-path").symlink_to("/dev/null")
    lines = LINES.replace("/dev/serial/by-id/usb-1", str(tmp_path / "by-id"))
    again = lines.replace("rs485-1", "rs485-2").replace("by-id", "by-path")
    assert "is the same port as line[0].device" in issues_of(tmp_path, GOOD + SIGN + lines + again)["line[1].device"]


def test_another_make_of_camera_passes_no_bytes_on(tmp_path: Path) -> None:
    text = GOOD.replace('vendor = "vz"', 'vendor = "boyue"', 1) + SIGN + CAMERA_LINE
    assert "boyue passes no bytes on; vz does" in issues_of(tmp_path, text)["line[0].camera"]
