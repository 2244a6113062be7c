"""A simulated bucket of Alibaba Cloud OSS, written from its public documentation and T/QME 0015-2024; it shares
nothing with the box."""

from hal_sim.oss.bucket import WEATHER, OssBucket, OssSummary, Rules
from hal_sim.oss.server import OssServer
from hal_sim.oss.signature import Keys

__all__ = ["WEATHER", "Keys", "OssBucket", "OssServer", "OssSummary", "Rules"]
