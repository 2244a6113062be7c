"""The Shenzhen city's part of a run of the simulated site: platform, customers, section of the config, books.

Its books must agree with the ledger by id: 5004 has the id of the entry's fact, 5005 and 5006 that of the entry
of their visit, 5008 that of the payment's fact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from hal_sim.free_ports import free_ports
from hal_sim.ledger_view import FactRow
from hal_sim.shenzhen import Account, Kind, Record, ShenzhenPlatform, Summary, stories
from hal_sim.shenzhen.driver import Arrival, Driver, Tempo
from hal_sim.shenzhen.rules import epoch
from hal_sim.site_config import Times, write_secret
from hal_sim.summary import CityFigures

CITY = "shenzhen"
ACCOUNT = Account("cadre01", "Parkbox-1", b"parkbox8", ("44030400100101000010",))
RECONNECT_MAX_S = 2  # a box that was away for a moment must not miss half of a short run

PEOPLE = Tempo(between_s=(4.0, 20.0), step_s=(1.0, 4.0))
SAME_EXIT_S = 2.0
"""Times are written in whole seconds."""

HURRIED = Tempo(between_s=(0.2, 1.5), step_s=(0.05, 0.3), inside_s=6.0)


class ShenzhenRun:
    """Built and started before the programs, stopped after them."""

    def __init__(self, data_dir: Path, seed: int, *, hurried: bool) -> None:
        self._folder, self._seed, self._hurried = data_dir / "sz", seed, hurried
        self.platform = ShenzhenPlatform(ACCOUNT, self._folder, seed=seed)
        self.driver: Driver | None = None

    def start(self, weather: Sequence[tuple[str, float]]) -> None:
        """Open the platform's ports under this weather."""
        self.platform.start()
        for kind, probability in weather:
            named: Kind = kind  # type: ignore[assignment]  # checked where it was read
            self.platform.weather.add(named, probability=probability)

    def section(self, times: Times) -> str:
        """[city.shenzhen] of the box's config, and the files that it names."""
        addresses = self.platform.addresses
        assert addresses is not None
        issued = self.platform.authority.issue("box")
        template = Template(files("hal_sim.config").joinpath("shenzhen.toml").read_text(encoding="utf-8"))
        return template.substitute(
            url=addresses.url,
            tcp_port=addresses.tcp_port,
            ca_file=addresses.ca_file,
            park_code=ACCOUNT.park_codes[0],
            user=ACCOUNT.user_id,
            password_file=write_secret(self._folder / "password", ACCOUNT.password),
            key_file=write_secret(self._folder / "deskey", ACCOUNT.des_key.decode()),
            timeout_s=times.timeout_s,
            retry_s=times.retry_s,
            reconnect_max_s=RECONNECT_MAX_S,
            callback_port=free_ports(1)[0],
            cert_file=issued.cert,
            cert_key_file=issued.key,
        )

    def drive(self, arrive: Callable[[str, str], None]) -> None:
        """Let people book and come."""
        tempo = HURRIED if self._hurried else PEOPLE
        self.driver = Driver(self.platform, arrive, stories.tell, tempo, seed=self._seed)
        self.driver.start()

    def end_driving(self) -> None:
        """Nobody books any more."""
        if self.driver is not None:
            self.driver.stop()

    def stop(self) -> None:
        """The customers first, then the platform."""
        self.end_driving()
        self.platform.stop()

    def settled(self, facts: Sequence[FactRow]) -> bool:
        """Whether the city has all that the ledger knows."""
        return not _compared(self.platform, facts).missing

    def figures(self, facts: Sequence[FactRow], states: Mapping[str, int], *, calm: bool, whole: bool) -> CityFigures:
        """The city's books against the ledger. `calm`: nobody was killed and the weather was fair; `whole`: the run
        came to its own end, so that nothing may be missing."""
        summary = self.platform.summary()
        figures = CityFigures(
            zh="深圳",
            city=CITY,
            accepted=states.get("accepted", 0),
            waiting=states.get("waiting", 0),
            refused=states.get("set_aside", 0),
            records=sum(summary.accepted.values()),
            repeats=sum(summary.repeats.values()),
            violated=sum(calm or one.field != "(time)" for one in summary.violations),
        )
        figures.problems += [f"violated: {one}" for one in summary.violations if calm or one.field != "(time)"]
        figures.problems += [f"the simulated platform itself failed: {text}" for text in summary.internal_errors]
        figures.problems += [f"changed: {text}" for text in summary.changed]
        compared = _compared(self.platform, facts)
        figures.invented = len(compared.invented)
        figures.problems += [f"invented: the city has {text}, the ledger has not" for text in compared.invented]
        if whole:
            figures.undelivered = len(compared.missing)
            figures.problems += [f"undelivered: {text} is not at the city" for text in compared.missing]
            figures.problems += _at_rest(self.platform, summary)
        figures.lines = self._lines(summary)
        if self.driver is not None:
            figures.problems += self.driver.problems
            figures.problems += self.driver.unfelt_coupons() + self.driver.charged_guests()
            figures.problems += _judged_otherwise(self.driver.arrivals, facts)
            if calm:
                figures.problems += [f"unanswered: {one}" for one in self.driver.unanswered]
        return figures

    def _lines(self, summary: Summary) -> list[str]:
        """What else a person wants to know of this city."""
        orders = [one for one in self.platform.orders.log if one.result is not None]
        slowest_ms = max((one.latency_s for one in orders), default=0.0) * 1000
        told = ", ".join(f"{name} {count}" for name, count in sorted(summary.notes.items())) or "-"
        late = sum(summary.late.values())
        said = (
            f"  深圳指令 orders: {len(orders)} 应答 answered, 最慢 slowest {slowest_ms:.0f} ms; "
            f"心跳 heartbeats {summary.link.get('1006', 0)}; 迟于3秒 later than 3 s {late}; 备注 notes {told}"
        )
        out = [said]
        if self.driver is not None:
            counts = self.driver.counts
            told = ", ".join(
                f"{name} {counts[name]}" for name in (one.__name__ for one, _ in stories.MIX) if counts[name]
            )
            out.append(f"  深圳预约 people: 到场 came {counts['came']}; {told or '-'}")
        return out


@dataclass(slots=True)
class _Compared:
    """Ledger against city by id: what is missing there, and what only the city has."""

    missing: list[str]
    invented: list[str]


def _compared(platform: ShenzhenPlatform, facts: Sequence[FactRow]) -> _Compared:
    at_city = {(code, one.item_id): one for code in (5004, 5005, 5008) for one in platform.of(code)}
    wanted: dict[tuple[int, str], str] = {}
    unknown_exits: list[FactRow] = []  # nobody saw their entry: the box makes an id up for the visit
    for fact in facts:
        if fact.kind == "Paid" and int(fact.body["paid_fen"]) > 0:
            wanted[5008, fact.id] = str(fact.body.get("plate", ""))
        elif fact.kind == "Passed" and fact.body["direction"] == "in":
            wanted[5004, fact.id] = str(fact.body["plate"])
        elif fact.kind == "Passed" and fact.body.get("visit_id"):
            wanted[5005, str(fact.body["visit_id"])] = str(fact.body["plate"])
        elif fact.kind == "Passed":
            unknown_exits.append(fact)
    known = set(wanted) | {(5008, fact.id) for fact in facts if fact.kind == "Paid"}
    missing = [
        f"{code} {item_id} {plate}" for (code, item_id), plate in wanted.items() if (code, item_id) not in at_city
    ]
    for fact in unknown_exits:
        made_up = next((key for key, one in at_city.items() if key not in known and _is_exit(one, fact)), None)
        if made_up is None:
            missing.append(f"5005 of exit {fact.id} {fact.body['plate']}")
        else:
            known |= {made_up, (5004, made_up[1])}
    invented = [
        f"{code} {item_id} {at_city[code, item_id].plate}" for code, item_id in at_city if (code, item_id) not in known
    ]
    return _Compared(missing, invented)


def _is_exit(record: Record, fact: FactRow) -> bool:
    """Whether a 5005 tells of this exit: plate (if there is one) and second."""
    left_s = epoch(record.item.get("leaveTime"))
    same_plate = not fact.body["plate"] or record.plate == fact.body["plate"]
    return record.code == 5005 and same_plate and left_s is not None and abs(left_s - fact.wall_ms / 1000) < SAME_EXIT_S


def _judged_otherwise(arrivals: Sequence[Arrival], facts: Sequence[FactRow]) -> list[str]:
    """Customers whom flow control took for what they were not (6.3, 6.8)."""
    admitted: dict[str, FactRow] = {}
    for fact in facts:  # the first decision is that at the entrance: nobody comes twice
        if fact.kind == "Decided" and fact.body["decision"] == "admit" and not fact.body.get("who"):
            admitted.setdefault(str(fact.body["plate"]), fact)
    found = []
    for arrival in arrivals:
        fact_of = admitted.get(arrival.plate)
        if fact_of is None:
            continue
        booking = str(fact_of.body.get("booking", ""))
        if (booking == arrival.book_code) is not arrival.reserved and arrival.book_code:
            right = "预约车 reserved" if arrival.reserved else "非预约车 ordinary"
            said = f"{fact_of.body.get('rule')} {fact_of.body.get('zh')}"
            found.append(f"booking {arrival.book_code} of {arrival.plate}: {right}, but it was judged by {said}")
    return found


def _at_rest(platform: ShenzhenPlatform, summary: Summary) -> list[str]:
    """What must hold once everything is delivered."""
    found = [f"money: the sums of exit {one} are not those of its payments" for one in summary.charge_differs]
    found += [f"plate: exit {one}, and no correction (5006)" for one in summary.plate_differs]
    found += [f"missing: {code} was never reported" for code in (3001, 3002, 3005, 5003, 7001) if not platform.of(code)]
    return found
