"""`parkbox sim`: both programs of the box, unchanged, against a simulated site.

Without options it runs until Ctrl-C at a real lot's pace. `--cars N --headless` runs N cars through as
fast as the lanes allow, waits until the city has everything, prints the summary and exits non-zero if
anything was violated, lost, double or refused by a city.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from edge.config.arguments import Arguments
from hal_sim.oss import WEATHER
from hal_sim.programs import signal_event
from hal_sim.qingdao import KINDS
from hal_sim.shenzhen import KINDS as SHENZHEN_KINDS
from hal_sim.site_config import HEADLESS, LANES_MAX, REAL
from hal_sim.site_run import Options, SimError, SiteRun
from hal_sim.summary import lines


def parser() -> Arguments:
    made = Arguments(
        "parkbox sim", description="模拟车场: 两个程序原样运行  the simulated site"
    )
    made.add_argument(
        "--cars", type=_positive, metavar="N", help="来 N 辆车后结束  end after N cars (default: endless)"
    )
    made.add_argument(
        "--headless", action="store_true", help="尽快跑完  as fast as the lanes allow; needs --cars"
    )
    made.add_argument(
        "--seed", type=int, default=1, help="随机种子  the same seed brings the same cars (default 1)"
    )
    made.add_argument(
        "--lanes",
        type=int,
        choices=range(1, LANES_MAX + 1),
        help="车道数  entry, exit, entry, exit (default 2, headless 4)",
    )
    made.add_argument(
        "--speed", type=float, help="车速倍数  how many times faster cars drive (default 1, headless 8)"
    )
    made.add_argument(
        "--weather",
        action="append",
        default=[],
        metavar="KIND[:SHARE]",
        help=f"平台天气  the city's weather: {', '.join(KINDS)}; share of requests, e.g. http_500:0.2",
    )
    made.add_argument(
        "--oss-weather",
        action="append",
        default=[],
        metavar="KIND[:SHARE]",
        help=f"图片存储天气  the picture storage's weather: {', '.join(WEATHER)}",
    )
    made.add_argument(
        "--shenzhen-weather",
        action="append",
        default=[],
        metavar="KIND[:SHARE]",
        help=f"深圳平台天气  the same of Shenzhen: {', '.join(SHENZHEN_KINDS)}",
    )
    made.add_argument(
        "--rush", action="store_true",
        help="高峰: 两入口小车场, 预约与流量管控  two entrances, few stalls, bookings, flow control",
    )  # fmt: skip
    made.add_argument(
        "--rs485", action="store_true",
        help="第一车道由 485 板卡驱动, 显示屏同线  the first lane by an RS485 board, its sign on the same line",
    )  # fmt: skip
    made.add_argument(
        "--camera-arrival", action="store_true",
        help="第一车道无触发地感, 由相机报到达  the first lane's arrivals are told by its camera, not by a loop",
    )  # fmt: skip
    made.add_argument(
        "--broker", choices=("auto", "mosquitto", "builtin"), default="auto",
        help="市平台的 MQTT 服务器  the city's MQTT broker (default: mosquitto if it is installed, else the built-in)",
    )  # fmt: skip
    made.add_argument(
        "--data", type=Path, metavar="DIR", help="数据目录  data folder (default: a temporary one)"
    )
    made.add_argument(
        "--kill-every",
        type=float,
        metavar="S",
        help="平均每 S 秒强杀一个程序  kill -9 lane or agent every S seconds",
    )
    return made


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: 须为不小于 1 的整数, must be a whole number of at least 1")
    return int(text)


def _weather(text: str, option: str = "--weather", kinds: Sequence[str] = KINDS) -> tuple[str, float]:
    kind, _, share = text.partition(":")
    try:
        value = float(share or "1")
    except ValueError:
        value = -1.0
    if kind not in kinds or not 0 < value <= 1:
        allowed = ", ".join(kinds)
        raise SimError(
            f"{option} {text}: 须为 种类[:比例], 比例大于 0 且不大于 1, 种类为下列之一  "
            f"must be KIND[:SHARE], SHARE above 0 to 1, KIND one of: {allowed}"
        )
    return kind, value


def options_of(argv: list[str], data_dir: Path) -> Options:
    """The run that these arguments ask for. Raises `SimError`."""
    given = parser().parse_args(argv)
    if given.headless and given.cars is None:
        raise SimError("--headless: 需要 --cars N  needs --cars N, or it would never end")
    if given.kill_every is not None and given.kill_every <= 0:
        raise SimError(f"--kill-every {given.kill_every}: 须大于 0 秒  must be above 0 seconds")
    if given.speed is not None and not 0.1 <= given.speed <= 12:
        raise SimError(
            f"--speed {given.speed}: 允许 0.1 到 12  allowed 0.1 to 12 (faster cars jump over loops)"
        )
    times = HEADLESS if given.headless else REAL
    if given.rush and given.lanes not in {None, LANES_MAX}:
        raise SimError(f"--rush: 需要 {LANES_MAX} 条车道  needs {LANES_MAX} lanes")
    if given.rush and not given.headless:
        times = dataclasses.replace(times, arrival_s=4.0, stay_s=(40.0, 90.0))
    if given.speed is not None:
        times = dataclasses.replace(times, speed=given.speed)
    return Options(
        cars=given.cars,
        lanes=given.lanes or (4 if given.headless or given.rush else 2),
        seed=given.seed,
        times=times,
        data_dir=given.data.resolve() if given.data else data_dir,
        weather=tuple(map(_weather, given.weather)),
        shenzhen_weather=tuple(
            _weather(text, "--shenzhen-weather", SHENZHEN_KINDS) for text in given.shenzhen_weather
        ),
        oss_weather=tuple(_weather(text, "--oss-weather", WEATHER) for text in given.oss_weather),
        kill_every_s=given.kill_every,
        mix=not given.rush,
        rush=given.rush,
        rs485=given.rs485,
        camera_arrival=given.camera_arrival,
        broker=given.broker,
    )


def _say(line: str) -> None:
    print(line, flush=True)


def main(argv: list[str]) -> int:
    # A folder of short name: a UNIX socket's path may have 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="parkbox-"))
    clean = False
    try:
        options = options_of(argv, folder)
        asked = signal_event()
        started_s = time.monotonic()
        report = SiteRun(options, _say).run(asked)
        clean = report.ok
    except (SimError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        if clean or not any(folder.iterdir()):
            shutil.rmtree(folder)
        else:
            _say(f"账本与日志保留在 ledger and logs are kept in {folder}")
    for line in lines(report, time.monotonic() - started_s):
        _say(line)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
