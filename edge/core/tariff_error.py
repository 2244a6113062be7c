"""A tariff that cannot be taken: where in it, what stands there, what is allowed; Chinese and English.

A board has several rates, and a person counts them from one: `rates[0]` is 第 1 条费率.
"""

from __future__ import annotations

import re

NAMES_ZH = {
    "unit_min": "计费单位 (分钟)", "unit_fen": "单价 (分)", "cap_fen": "时段封顶 (分)",
    "from": "起始时刻", "until": "终止时刻", "from_min": "起始时刻 (分钟)", "until_min": "终止时刻 (分钟)",
    "first_min": "首段时长 (分钟)", "first_fen": "首段价格 (分)", "first_each": "首段周期",
    "day_cap_fen": "每日封顶 (分)", "visit_cap_fen": "单次封顶 (分)",
    "free_min": "免费时长 (分钟)", "free_mode": "免费方式",
    "day": "计费日", "form": "格式", "rates": "费率", "classes": "车型",
}  # fmt: skip
_CLASSES_ZH = {"large": "大型车", "medium": "中型车", "small": "小型车"}

_RATE = re.compile(r"rates\[(\d+)\]")


class TariffError(ValueError):
    """`path` as in the param (`classes.large.rates[0].unit_fen`), "" for the whole; `str` is the English."""

    def __init__(self, path: str, zh: str, en: str) -> None:
        super().__init__(f"{path}: {en}" if path else en)
        self.path, self.said_zh, self.said_en = path, zh, en

    @property
    def zh(self) -> str:
        """第 1 条费率 单价 (分) rates[0].unit_fen: 2.5 不允许, 须为整数 0..10000000."""
        return f"{self._place_zh()} {self.path}: {self.said_zh}" if self.path else self.said_zh

    def under(self, where: str) -> TariffError:
        """The same, of a part that stands at `where` in the whole."""
        return TariffError(f"{where}.{self.path}" if self.path else where, self.said_zh, self.said_en)

    def _place_zh(self) -> str:
        parts = self.path.removeprefix("param").strip(".").split(".")
        said = [_CLASSES_ZH[one] for one in parts if one in _CLASSES_ZH]
        said += [f"第 {int(found[1]) + 1} 条费率" for one in parts if (found := _RATE.fullmatch(one))]
        if parts[-1] in NAMES_ZH:
            said.append(NAMES_ZH[parts[-1]])
        return " ".join(said) or "收费标准"
