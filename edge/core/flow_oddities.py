"""What a replayed day says that no day brings: counted and told at the end, for the lines may be a slip of the pen."""

from __future__ import annotations

from edge.core.flow_run import Arrive, Entered, FlowEvent, Gone, Left


class Oddities:
    """`left_nobody`: exits while nobody was inside. `came_twice`: arrivals of a plate that stood at an entrance or was
    inside, while no car had left since that could have been it."""

    def __init__(self) -> None:
        self.left_nobody = self.came_twice = 0
        self._standing: dict[str, int] = {}  # plate -> how often it stands at entrances
        self._inside: dict[str, int] = {}  # plate -> exits without a plate when it entered
        self._nameless = 0  # exits without a plate so far

    def note(self, event: FlowEvent, parked: int, plate: str = "") -> None:
        """`parked`: before the event. `plate`: of an exit that says it."""
        match event:
            case Arrive(plate=car):
                self.came_twice += car in self._standing or self._inside.get(car) == self._nameless
                self._standing[car] = self._standing.get(car, 0) + 1
            case Gone(plate=car):
                self._stands_no_more(car)
            case Entered(plate=car):
                self._stands_no_more(car)
                self._inside[car] = self._nameless
            case Left():
                self.left_nobody += parked == 0
                if plate:
                    self._inside.pop(plate, None)
                else:
                    self._nameless += 1

    def turned_away(self, plate: str) -> None:
        """A refused car goes, whether a line says so or not."""
        self._stands_no_more(plate)

    def words(self) -> str:
        """"" = nothing odd."""
        parts = []
        if self.left_nobody:
            parts.append(f"{self.left_nobody} 次驶出时场内无车 exits while nobody was inside")
        if self.came_twice:
            parts.append(f"{self.came_twice} 次到达的车牌未曾驶出 arrivals of a plate that had not left")
        return "; ".join(parts)

    def _stands_no_more(self, plate: str) -> None:
        more = self._standing.pop(plate, 0) - 1
        if more > 0:
            self._standing[plate] = more
