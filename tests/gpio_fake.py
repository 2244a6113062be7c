"""An `RPi.GPIO` for tests: pins that a test can drive and look at. Raises what the real one raises."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType


class FakeGpio(ModuleType):
    """Put it into `sys.modules["RPi.GPIO"]`."""

    BCM, BOARD, OUT, IN = 11, 10, 0, 1
    LOW, HIGH, PUD_OFF, PUD_DOWN, PUD_UP, RISING, FALLING, BOTH = 0, 1, 20, 21, 22, 31, 32, 33

    def __init__(self) -> None:
        super().__init__("RPi.GPIO")
        self.mode: int | None = None
        self.direction: dict[int, int] = {}
        self.level: dict[int, int] = {}
        self.callbacks: dict[int, Callable[[int], None]] = {}
        self.history: list[tuple[int, int]] = []
        self.broken: set[int] = set()
        self.cleaned = False
        self.watch: Callable[[int, int], None] = lambda pin, level: None

    def setwarnings(self, on: bool) -> None:
        assert isinstance(on, bool)

    def setmode(self, mode: int) -> None:
        self.mode = mode

    def setup(self, pin: int, direction: int, pull_up_down: int = 20, initial: int = -1) -> None:
        if self.mode is None:
            raise RuntimeError("Please set pin numbering mode using GPIO.setmode(GPIO.BOARD) or GPIO.setmode(GPIO.BCM)")
        if pin in self.broken:
            raise RuntimeError(f"Cannot allocate pin {pin}")
        self.direction[pin] = direction
        if direction == self.OUT:
            assert initial in (0, 1), "an output must get its safe level with its direction"
            self._set(pin, initial)
        else:
            self.level[pin] = 1 if pull_up_down == self.PUD_UP else 0

    def output(self, pin: int, level: int) -> None:
        if self.direction.get(pin) != self.OUT:
            raise RuntimeError("The GPIO channel has not been set up as an OUTPUT")
        self._set(pin, level)

    def input(self, pin: int) -> int:
        if pin in self.broken:
            raise OSError("input/output error")
        return self.level[pin]

    def add_event_detect(
        self, pin: int, edge: int, callback: Callable[[int], None] | None = None, bouncetime: int = -666
    ) -> None:
        assert edge == self.BOTH
        assert bouncetime == -666
        if callback is not None:
            self.callbacks[pin] = callback

    def remove_event_detect(self, pin: int) -> None:
        self.callbacks.pop(pin, None)

    def cleanup(self) -> None:
        self.cleaned = True
        self.direction.clear()

    # --- the test's hands --------------------------------------------------------------------------------------

    def drive(self, pin: int, level: int, edge: bool = True) -> None:
        """A contact moves; `edge=False`: the library loses the edge."""
        self.level[pin] = level
        if edge and pin in self.callbacks:
            self.callbacks[pin](pin)

    def _set(self, pin: int, level: int) -> None:
        self.level[pin] = level
        self.history.append((pin, level))
        self.watch(pin, level)
