"""Small devices: whether a network fits their memory, and by how much."""

from __future__ import annotations

from dataclasses import dataclass

KB = 1024
"""Bytes: sizes of memory chips count in powers of two."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Memory that a device has for a network, in bytes."""

    flash: int
    """Keeps the weights."""
    ram: int
    """Keeps intermediate results while the network runs."""

    @property
    def title(self) -> str:
        return f"{_binary(self.flash)} flash, {_binary(self.ram)} RAM"


BUDGETS: tuple[Budget, ...] = (
    Budget(flash=256 * KB, ram=64 * KB),
    Budget(flash=512 * KB, ram=256 * KB),
    Budget(flash=1024 * KB, ram=320 * KB),
    Budget(flash=2048 * KB, ram=512 * KB),
)
"""Common sizes of microcontrollers, from small to large."""
NOTE = (
    "Flash is held against the raw float32 bytes, RAM against the peak of activation memory of one image; the program "
    "itself and its working memory come on top. As int8 both would be about a quarter: another step, not taken here. "
    "1 KB = 1,024 bytes."
)


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One kind of memory against what a network needs of it."""

    memory: str
    """Flash or RAM."""
    need: int
    have: int

    @property
    def fits(self) -> bool:
        return self.need <= self.have

    @property
    def text(self) -> str:
        """'82.1 KB: fits, 174 KB to spare' or '1.03 MB: does not fit, 803 KB too much'."""
        if self.fits:
            return f"{_binary(self.need)}: fits, {_binary(self.have - self.need)} to spare"
        return f"{_binary(self.need)}: does not fit, {_binary(self.need - self.have)} too much"

    @property
    def title(self) -> str:
        """'Flash, 256 KB'."""
        return f"{self.memory}, {_binary(self.have)}"


def fits(budget: Budget, *, raw: int, activation: int) -> tuple[Fit, Fit]:
    """Raw bytes of the weights against flash, peak activation memory against RAM."""
    return (
        Fit(memory="Flash", need=raw, have=budget.flash),
        Fit(memory="RAM", need=activation, have=budget.ram),
    )


def _binary(count: int) -> str:
    """
    >>> _binary(256 * 1024), _binary(84_070), _binary(1_084_544)
    ('256 KB', '82.1 KB', '1.03 MB')
    """
    for unit, name in ((KB**3, "GB"), (KB**2, "MB"), (KB, "KB")):
        if count >= unit:
            value = count / unit
            return f"{value:.{0 if value == round(value) or value >= 100 else 1 if value >= 10 else 2}f} {name}"
    return f"{count} bytes"
