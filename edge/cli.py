"""The `parkbox` command: lane, agent and check are on every box; others (sim) register as entry points."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

USAGE = """用法 usage:
  parkbox lane CONFIG     车道程序 the lane program: cameras, loops, barrier, decisions, ledger
  parkbox agent CONFIG    上传与网页 the agent: city deliveries, status page
  parkbox check CONFIG    检查配置 judge a configuration; nothing is started
  parkbox verify FILE...  检验证据图片 judge evidence pictures: [--key evidence.pub]
  parkbox diagnose CONFIG 诊断包 a bundle for whoever helps, no secrets inside: [-o FILE]
  parkbox deliveries CONFIG [--plate P] [--from T] [--to T] [--show ID] [--repeat ID...]
                          上传记录 was this car reported, when, and if not, why; --help
  parkbox backup CONFIG FILE   备份 a sealed copy of the box, also while it runs; --help
  parkbox restore FILE         恢复 a box from a backup, on a new card; --help
  parkbox update FILE          更新 a signed bundle into the other slot; --help
  parkbox health CONFIG        自检 whether both programs do their work, after an update; --help
  parkbox provision LIST TEMPLATE OUT
                               批量开通 a folder of files for each box of a list; --help
  parkbox first-boot           开机准备 by its unit at each boot; --help
  parkbox flow [--policy FILE] < events.jsonl
                          流量管控重放 replay arrivals and exits, one line a decision"""


HELP = {
    "lane": """用法 usage: parkbox lane CONFIG
  车道程序: 相机、地感、道闸、判断、账本; SIGTERM 有序结束
  the lane program: cameras, loops, barrier, decisions, ledger; SIGTERM ends it in order""",
    "agent": """用法 usage: parkbox agent CONFIG
  上传与网页: 城市上传、证据图片、网页; SIGTERM 有序结束
  the agent: city deliveries, evidence pictures, the page; SIGTERM ends it in order""",
    "check": """用法 usage: parkbox check CONFIG
  检查配置, 不启动任何程序; 退出码 0 可用, 2 有错误 (逐条列出)
  judges a configuration and starts nothing; exit 0: fit to run, 2: not, every error is printed""",
}

MODULES = {
    "verify": "edge.commands.verify",
    "deliveries": "edge.commands.deliveries",
    "diagnose": "edge.commands.diagnose",
    "flow": "edge.commands.flow",
    "backup": "edge.box.backup_command",
    "restore": "edge.box.restore_command",
    "update": "edge.box.update_command",
    "health": "edge.box.health_command",
    "provision": "edge.box.provision",
    "first-boot": "edge.box.first_boot_command",
}
"""Where the `main` of a command is that takes its arguments alone and returns the exit code."""

PIPE_CLOSED = 141
"""128 + SIGPIPE, as a shell says it."""


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code. Whoever reads our output may stop early (`| head`): no trace of that, only the code."""
    try:
        code = _main(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        if (list(sys.argv[1:] if argv is None else argv) or [""])[0] in {"lane", "agent"}:
            raise  # a program of the box that has lost its output ends with its reason in the log
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what the interpreter flushes at its end
        return PIPE_CLOSED
    return code


def _main(argv: Sequence[str] | None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    match arguments:
        case ["lane" | "agent" | "check" as name, "-h" | "--help"]:
            print(HELP[name])
            return 0
        case ["check", path] if not path.startswith("-"):
            from edge.commands.check import run as check  # noqa: PLC0415

            return check(Path(path))
        case [name, *rest] if name in MODULES:  # each command loads only what it needs
            return int(import_module(MODULES[name]).main(rest))
        case ["lane" | "agent" as program, path] if not path.startswith("-"):
            return _program(program, Path(path))
        case [name, *rest] if name not in {"lane", "agent", "check"} and not name.startswith("-"):
            for command in _registered():
                if command.name == name:
                    return int(command.load()(rest))
    asked = arguments in (["-h"], ["--help"])
    out = sys.stdout if asked else sys.stderr
    others = [command.name for command in _registered()]
    print(USAGE, file=out)
    for name in others:
        print(f"  parkbox {name} --help", file=out)
    if not asked:
        print(_wrong(arguments, [*HELP, *MODULES, *others]), file=out)  # last: it stands above the prompt
    return 0 if asked else 2


def _wrong(arguments: Sequence[str], commands: Sequence[str]) -> str:
    """What was wrong with arguments that no command took."""
    if not arguments:
        return "缺少命令  no command was given"
    name, *rest = arguments
    if name not in HELP:
        return f"{name}: 没有这个命令, 只有 no such command, there are: {', '.join(commands)}"
    if not rest:
        return f"parkbox {name}: 缺少配置文件 CONFIG  the configuration file is missing"
    if rest[0].startswith("-"):
        return f"parkbox {name} {rest[0]}: 没有这个选项, 只有 --help  no such option, there is --help"
    return f"parkbox {name}: 多余的参数 {' '.join(rest[1:])}, 只需一个配置文件  one configuration file, nothing more"


def _registered() -> Iterable[EntryPoint]:
    """Commands of other packages (the simulator); looked for only when asked: the search takes 30 ms."""
    from importlib.metadata import entry_points  # noqa: PLC0415

    return entry_points(group="parkbox.commands")


def _program(name: str, path: Path) -> int:
    from edge.config.load import ConfigError, load  # noqa: PLC0415

    try:
        config = load(path)
    except ConfigError as error:
        from edge.config.check import explain  # noqa: PLC0415

        print(explain(error), file=sys.stderr)
        return 2
    if name == "lane":
        from edge.lane.without_tls import load_asyncio  # noqa: PLC0415

        load_asyncio()
        from edge.lane.program import main as lane_program  # noqa: PLC0415

        return lane_program(config)
    from edge.agent.program import main as agent_program  # noqa: PLC0415

    return agent_program(config, path)


if __name__ == "__main__":
    sys.exit(main())
