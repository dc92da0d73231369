"""A network's time from the times of its layers: prediction for any channel plan, and widths where the time drops.

`Steps` is what `pruning.latency.profile` measured on one machine. The arithmetic is small enough to be repeated in
the browser; `size` is the shape of a tensor as `pruning.cost.table` gives it for the units kept:

    rows, columns   = size[0] / parts[0], size[1] / parts[1]     of a call's tensor
    time of a call  = times[rows][columns] of its grid, linear between the measured rows and columns, and outside of
                      them as at the nearest
    elements        = Σ over calls: elements · (rows where output is 0, columns where it is 1)
    milliseconds    = Σ times of calls + fixed + per_element · elements
    interval        = milliseconds / (1 + error) to milliseconds · (1 + error)

Linear between two points (rows first): with a ≤ x ≤ b neighbours, t = t_a + (t_b − t_a) · (x − a) / (b − a).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pruning.base.errors import InputError, StorageError
from pruning.base.fields import Fields
from pruning.cost.table import CostTable

VERSION = 1
EAGER = "PyTorch eager, float32, CPU"
"""The engine of times that do not say theirs."""
STEEP = 2.0
"""A width counts as a step where the time falls at least this many times as fast as it does on average."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Time of one kind of layer against the first two dimensions of its weight; equal layers share a grid."""

    rows: tuple[int, ...]
    """Lengths of the first dimension that were timed, ascending: output channels (input channels if transposed)."""
    columns: tuple[int, ...]
    """Lengths of the second dimension, ascending; only the dense one where it cannot shrink."""
    times: tuple[tuple[float, ...], ...]
    """Milliseconds: a tuple of columns for each of the rows."""
    noise: float
    """Two times that differ by less than this part of them count as equal."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a layer in a forward pass."""

    layer: str
    tensor: str
    """Its weight, by its name in the cost table."""
    grid: int
    parts: tuple[int, int]
    """The call uses one of so many equal parts of the tensor along its first and second dimension."""
    output: int
    """Dimension of the weight that the output channels run along."""
    elements: int
    """Values that the call makes for each index along that dimension, for the whole batch."""


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Measured times of one network's layers on one machine, in milliseconds."""

    batch: int
    threads: int
    torch: str
    cpu: str
    dense: float
    """Of the whole dense network, measured; the prediction for it is just this."""
    grids: tuple[Grid, ...]
    calls: tuple[Call, ...]
    fixed: float
    """Of what is not in the layers and does not depend on their widths. Negative where the layers take longer alone
    than in the network."""
    per_element: float
    """Of what is not in the layers (normalisation, activation, sums, pooling), for each value that a layer makes."""
    error: float
    """The furthest that any of the `checks` lay from its prediction, as a part of it."""
    checks: tuple[tuple[float, float], ...]
    """(measured, predicted) milliseconds of the smaller networks timed along with the layers."""
    drift: float
    """By what part the dense network's time changed while all this was measured."""
    engine: str = EAGER
    """As `Comparison.engine` has it."""

    def to_json(self) -> dict[str, Any]:
        """Plain lists, strings and numbers, under the names used here."""
        return {"version": VERSION, **asdict(self)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Steps:
        """The inverse of `to_json`.

        Raises:
            StorageError: it is no such record, or one of another version.
        """
        try:
            return _steps(Fields(data, "The record of layer times"))
        except StorageError as error:
            raise StorageError(f"{error} Measure them again.") from error


def _steps(fields: Fields) -> Steps:
    fields.whole("version", VERSION, VERSION)
    grids = tuple(_grid(grid) for grid in fields.parts("grids"))
    return Steps(
        batch=fields.whole("batch", 1),
        threads=fields.whole("threads", 1),
        torch=fields.text("torch"),
        cpu=fields.text("cpu"),
        dense=fields.number("dense", 0),
        grids=grids,
        calls=tuple(_call(call, len(grids)) for call in fields.parts("calls")),
        fixed=fields.number("fixed"),
        per_element=fields.number("per_element", 0),
        error=fields.number("error", 0),
        checks=tuple((measured, predicted) for measured, predicted in fields.table("checks", 2)),
        drift=fields.number("drift", 0),
        engine=fields.text("engine") if "engine" in fields else EAGER,
    )


def _grid(fields: Fields) -> Grid:
    rows, columns = fields.wholes("rows", 1), fields.wholes("columns", 1)
    for name, widths in (("rows", rows), ("columns", columns)):
        if not widths or list(widths) != sorted(set(widths)):
            fields.refuse(name, "ascending widths")
    times = tuple(fields.table("times", len(columns)))
    if len(times) != len(rows):
        fields.refuse("times", f"{len(rows)} rows of times")
    return Grid(rows=rows, columns=columns, times=times, noise=fields.number("noise", 0))


def _call(fields: Fields, grids: int) -> Call:
    first, second = fields.wholes("parts", 1, length=2)
    return Call(
        layer=fields.text("layer"),
        tensor=fields.text("tensor"),
        grid=fields.whole("grid", 0, grids - 1),
        parts=(first, second),
        output=fields.whole("output", 0, 1),
        elements=fields.whole("elements", 0),
    )


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Milliseconds of a whole forward pass after a channel plan: an estimate and the interval it is good for."""

    low: float
    middle: float
    high: float
    dense: float

    @property
    def speedup(self) -> tuple[float, float, float]:
        """Dense time over predicted time: lower end, estimate, upper end."""
        return self.dense / self.high, self.dense / self.middle, self.dense / self.low


def predict(steps: Steps, table: CostTable, kept: Mapping[str, int]) -> Prediction:
    """Time of the network when each group keeps so many units; a group that is not named keeps all.

    Raises:
        InputError: there is no such group, it cannot keep so many, or the steps are another network's.
    """
    layers, elements = layer_times(steps, table, kept)
    middle = sum(layers) + steps.fixed + steps.per_element * elements
    return Prediction(low=middle / (1 + steps.error), middle=middle, high=middle * (1 + steps.error), dense=steps.dense)


def layer_times(steps: Steps, table: CostTable, kept: Mapping[str, int]) -> tuple[list[float], int]:
    """Milliseconds of each of `steps.calls`, and how many values all of them make.

    Raises:
        InputError: as `predict`.
    """
    shapes = {tensor.name: shape for tensor, shape in zip(table.tensors, table.shapes(kept), strict=True)}
    times, elements = [], 0
    for call in steps.calls:
        if call.tensor not in shapes:
            raise InputError(f"The layer times are of another network: this one has no {call.tensor}. Measure it.")
        lengths = [length // part for length, part in zip(shapes[call.tensor], call.parts, strict=False)]
        times.append(time_at(steps.grids[call.grid], lengths[0], lengths[1]))
        elements += call.elements * lengths[call.output]
    return times, elements


def time_at(grid: Grid, rows: int, columns: int) -> float:
    """Milliseconds at a width, linear between the measured ones."""
    column = [between(grid.rows, [row[i] for row in grid.times], rows) for i in range(len(grid.columns))]
    return between(grid.columns, column, columns)


def between(places: Sequence[int], values: Sequence[float], at: float) -> float:
    """The value at a place, linear between the two beside it; before the first and after the last, theirs."""
    right = bisect_left(places, at)
    if right == 0 or right == len(places):
        return values[0 if right == 0 else -1]
    a, b = places[right - 1], places[right]
    return values[right - 1] + (values[right] - values[right - 1]) * (at - a) / (b - a)


def drops(steps: Steps, layer: str) -> list[int]:
    """Output widths of a layer at which its time drops, ascending: each is the widest that its time pays for.

    A width counts where the next wider measured one takes longer by more than noise, and by at least STEEP times what
    so many channels cost on average; and where no wider one is as fast. The dense width is always there, being the
    widest of all. Input width: dense.

    Raises:
        InputError: the layer was not timed.
    """
    widths, times, noise = curve(steps, layer)
    if len(widths) == 1:
        return list(widths)
    slope = (max(times) - min(times)) / (widths[-1] - widths[0])
    found = [widths[-1]]
    fastest = times[-1]
    for i in range(len(widths) - 2, -1, -1):
        saved = times[i + 1] - times[i]
        steep = saved >= STEEP * slope * (widths[i + 1] - widths[i])
        if steep and saved > noise * times[i] and times[i] < fastest:
            found.append(widths[i])
        fastest = min(fastest, times[i])
    return found[::-1]


def neighbours(steps: Steps, layer: str, width: int) -> tuple[int | None, int | None]:
    """The widths of `drops` on both sides of a width: the next one at or below it, the next one at or above it.

    Raises:
        InputError: the layer was not timed.
    """
    found = drops(steps, layer)
    below = max((w for w in found if w <= width), default=None)
    above = min((w for w in found if w >= width), default=None)
    return below, above


def snap(steps: Steps, layer: str, width: int) -> int:
    """The nearest of a layer's `drops`: fewer channels for a drop in time, or more for nearly the same time.

    Of two equally near the narrower. A width below the lowest drop stays as it is: there time falls evenly.

    Raises:
        InputError: the layer was not timed.
    """
    below, above = neighbours(steps, layer, width)
    if below is None or above is None:
        return width
    return below if width - below <= above - width else above


def curve(steps: Steps, layer: str) -> tuple[tuple[int, ...], tuple[float, ...], float]:
    """Output widths of a layer that were timed, the milliseconds of one call at each, and the noise in them.

    Raises:
        InputError: the layer was not timed.
    """
    call = next((call for call in steps.calls if call.layer == layer), None)
    if call is None:
        raise InputError(f"No times were measured for '{layer}': they are there for convolutions and linear layers.")
    grid = steps.grids[call.grid]
    factor = call.parts[call.output]
    if call.output == 0:
        return tuple(w * factor for w in grid.rows), tuple(row[-1] for row in grid.times), grid.noise
    return tuple(w * factor for w in grid.columns), grid.times[-1], grid.noise
