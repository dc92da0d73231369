// Predicted time: the arithmetic of pruning/latency/steps.py, for every input event.

/** Values between measured places along a straight line; outside of them as at the nearest. */
function between(places, values, at) {
  const right = places.findIndex((place) => place >= at);
  if (right === 0) return values[0];
  if (right === -1) return values[values.length - 1];
  const [a, b] = [places[right - 1], places[right]];
  return values[right - 1] + ((values[right] - values[right - 1]) * (at - a)) / (b - a);
}

/** Milliseconds of the whole network when group number g keeps kept[g] units, with the ends of its interval. */
function predictTime(steps, table, kept) {
  const place = new Map(table.tensors.map((tensor, i) => [tensor.name, i]));
  let sum = 0;
  let elements = 0;
  for (const call of steps.calls) {
    const tensor = table.tensors[place.get(call.tensor)];
    const lengths = [0, 1].map((dim) => Math.floor(lengthOf(tensor, dim, kept) / call.parts[dim]));
    const grid = steps.grids[call.grid];
    const times = (column) => grid.times.map((row) => row[column]);
    const column = grid.columns.map((_, i) => between(grid.rows, times(i), lengths[0]));
    sum += between(grid.columns, column, lengths[1]);
    elements += call.elements * lengths[call.output];
  }
  const middle = sum + steps.fixed + steps.per_element * elements;
  return { low: middle / (1 + steps.error), middle, high: middle * (1 + steps.error), dense: steps.dense };
}

/** A prediction in the words of a tile; it claims no more than its interval shows. */
function predictionWords(guess) {
  const speedup = (time) => guess.dense / time;
  const ends = `${fixed(speedup(guess.high), 2)}–${fixed(speedup(guess.low), 2)}×`;
  const small = `predicted: ${milliseconds(guess.dense)} → ${milliseconds(guess.middle)} (${ends})`;
  const unsure = guess.high >= guess.dense && guess.low <= guess.dense;
  return { big: unsure ? "≈ 1×" : `≈ ${fixed(speedup(guess.middle), 2)}×`, kind: "estimated", small };
}

/**
 * Time of a group's first timed layer against the units that the group keeps: its measured widths in units, their
 * times, and the units at which its time drops (`drops` comes from Python: layer → widths). Null where none is known.
 */
function unitSteps(steps, drops, table, row) {
  const group = table.groups.findIndex((entry) => entry.name === row.name);
  const call = steps.calls.find((entry) => row.layers.includes(entry.layer) && drops[entry.layer]);
  if (group === -1 || !call) return null;
  const tensor = table.tensors.find((entry) => entry.name === call.tensor);
  const own = tensor.dims[call.output][1].find(([number]) => number === group);
  if (!own) return null;
  const dense = lengthOf(tensor, call.output, table.groups.map((entry) => entry.units));
  const others = dense - own[1] * table.groups[group].units;
  const units = (width) => Math.floor((width - others) / own[1]);
  const grid = steps.grids[call.grid];
  const factor = call.parts[call.output];
  const measured = call.output === 0 ? grid.rows : grid.columns;
  const times = call.output === 0 ? grid.times.map((line) => line.at(-1)) : grid.times.at(-1);
  const points = measured.map((width, i) => [units(width * factor), times[i]]).filter(([count]) => count >= 1);
  return {
    layer: call.layer,
    widths: points.map(([count]) => count),
    times: points.map(([, time]) => time),
    drops: drops[call.layer].map(units).filter((count) => count >= 1 && count <= row.total),
    noise: grid.noise,
  };
}

function timeAt(curve, units) {
  return between(curve.widths, curve.times, units);
}

/** The nearest widths that pay, on both sides of the present one. */
function snapsOf(curve, units) {
  const below = Math.max(...curve.drops.filter((count) => count < units), 0);
  const above = Math.min(...curve.drops.filter((count) => count >= units), Infinity);
  const now = timeAt(curve, units);
  return [below, above]
    .filter((width) => width > 0 && width < Infinity && width !== units)
    .map((width) => ({ width, words: `${units} → ${width}: ${change(now, timeAt(curve, width), curve.noise)}` }));
}

function change(now, then, noise) {
  const part = then / now - 1;
  if (Math.abs(part) <= noise) return "same time";
  return `${part < 0 ? "−" : "+"}${fixed(100 * Math.abs(part), 0)} % time`;
}
