"""Read a configuration once, completely: TOML, declared types and ranges, rules between settings, then frozen."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from edge.config.issues import ConfigError, ConfigIssue
from edge.config.model import Config
from edge.config.rules import judge
from edge.config.walk import walk

__all__ = ["ConfigError", "ConfigIssue", "load"]

SIZE_LIMIT_BYTES = 1_000_000
"""Four lanes with every comment take 10 KB; a list of plates some more."""


def load(path: Path) -> Config:
    """The configuration at `path`. Raises `ConfigError` with every issue; nothing was started by then."""
    raw = _parse(path)
    issues = walk(raw, inspect.type_info(Config), "")
    if issues:
        raise ConfigError(issues)
    config = _resolve(msgspec.convert(raw, Config), path.resolve().parent)
    issues = judge(config)
    if issues:
        raise ConfigError(issues)
    return config


def _parse(path: Path) -> dict[str, Any]:
    name = str(path)
    try:
        size = path.stat().st_size
        if size > SIZE_LIMIT_BYTES:
            issue = ConfigIssue(
                name, f"{size} bytes", f"最多 {SIZE_LIMIT_BYTES} 字节", f"at most {SIZE_LIMIT_BYTES} bytes"
            )
            raise ConfigError([issue])
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        issue = ConfigIssue(name, "", f"无法读取: {error.strerror}", f"cannot be read: {error}")
    except UnicodeDecodeError as error:
        issue = ConfigIssue(name, f"byte {error.start}", "须为 UTF-8", "must be UTF-8")
    except tomllib.TOMLDecodeError as error:
        issue = ConfigIssue(name, "", f"TOML 语法错误: {error}", f"TOML syntax: {error}")
    raise ConfigError([issue])


def _resolve(config: Config, folder: Path) -> Config:
    """Relative paths are relative to the configuration file, wherever the program was started."""

    def absolute(text: str) -> str:
        return str(folder / text)

    box = msgspec.structs.replace(
        config.box, data_dir=absolute(config.box.data_dir), socket=absolute(config.box.socket)
    )
    city = config.city
    if city.qingdao is not None:
        qingdao = msgspec.structs.replace(
            city.qingdao,
            password_file=absolute(city.qingdao.password_file),
            passkey_file=absolute(city.qingdao.passkey_file),
        )
        if (oss := qingdao.oss) is not None:
            oss = msgspec.structs.replace(
                oss,
                key_id_file=absolute(oss.key_id_file),
                key_secret_file=absolute(oss.key_secret_file),
                token_file=oss.token_file and absolute(oss.token_file),
            )
            qingdao = msgspec.structs.replace(qingdao, oss=oss)
        city = msgspec.structs.replace(city, qingdao=qingdao)
    return msgspec.structs.replace(config, box=box, city=city)
