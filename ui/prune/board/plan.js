// What goes from each row, and every way to change it. No DOM here.
//
// A row's value is the number of units removed (channels), or per mille of its weights (weights).

class Plan {
  /** rows: as pruning/render/board_rows.py gives them; weights: whether single weights go. */
  constructor(rows, weights) {
    this.rows = rows.filter((row) => row.locked === null);
    this.weights = weights;
    this.place = new Map(this.rows.map((row, i) => [row.name, i]));
    this.values = this.rows.map(() => 0);
    this.pinned = this.rows.map(() => false);
    this.share = 0;
    this.asked = new Map();
    this.past = [];
    this.future = [];
    this.committed = this.snapshot();
  }

  /** Take over a plan that Python imposes: a step that can be undone where the rows are the same. */
  impose(sent) {
    this.values = this.rows.map((row) => this.clamp(row, sent.removed[row.name] ?? 0));
    this.pinned = this.rows.map((row) => sent.pinned.includes(row.name));
    this.share = sent.share;
    this.asked = new Map(
      Object.entries(sent.asked).map(([name, share]) => [name, { share, value: this.value(name) }]),
    );
  }

  value(name) {
    return this.values[this.place.get(name)];
  }

  most(row) {
    return this.weights ? 999 : row.total - row.least;
  }

  clamp(row, value) {
    return Math.max(0, Math.min(this.most(row), Math.round(value)));
  }

  /** Units or weights that stay: the formula of pruning.planning.allocation.kept_units. */
  kept(row) {
    if (!this.weights) return row.total - this.value(row.name);
    const sparsity = this.askedOf(row) ?? this.shareOf(row); // a recipe may ask for more exactly than per mille
    return Math.max(1, row.total - Math.floor(sparsity * row.total + 1e-9));
  }

  /** The value that removes a share of a row. */
  valueOf(row, share) {
    if (this.weights) return this.clamp(row, 1000 * share);
    const removed = share * row.total;
    return this.clamp(row, row.heads ? Math.ceil(removed - 1e-9) : Math.floor(removed + 1e-9));
  }

  /** The fraction that a row's value stands for. */
  shareOf(row) {
    return this.value(row.name) / (this.weights ? 1000 : row.total);
  }

  /** What was asked of a row, where it says so: by a recipe, or by the slider of all rows; else null. */
  askedOf(row) {
    const own = this.asked.get(row.name);
    if (own && own.value === this.value(row.name)) return own.share;
    return this.share > 0 && this.value(row.name) === this.valueOf(row, this.share) ? this.share : null;
  }

  isPinned(row) {
    return this.pinned[this.place.get(row.name)];
  }

  /** Set one row; a pinned one stays. */
  set(row, value) {
    if (!this.isPinned(row)) this.values[this.place.get(row.name)] = this.clamp(row, value);
  }

  /** The same share of every row that is not pinned. */
  uniform(share) {
    this.share = share;
    this.asked.clear();
    for (const row of this.rows) this.set(row, this.valueOf(row, share));
  }

  /** The lowest scores of all rows that are not pinned, wherever they are: one threshold for all. */
  threshold(share) {
    this.share = 0;
    this.asked.clear();
    const free = this.rows.filter((row) => !this.isPinned(row));
    if (this.weights) {
      for (const [row, part] of sharesBelow(free, share)) this.set(row, 1000 * part);
      return;
    }
    const all = Float64Array.from(free.flatMap((row) => row.scores)).sort();
    const limit = all[Math.min(all.length - 1, Math.round(share * all.length))];
    for (const row of free) this.set(row, row.scores.filter((score) => score < limit).length);
  }

  pin(row) {
    this.pinned[this.place.get(row.name)] = !this.isPinned(row);
  }

  reset() {
    this.share = 0;
    this.asked.clear();
    for (const row of this.rows) this.set(row, 0);
  }

  snapshot() {
    return { values: [...this.values], pinned: [...this.pinned], share: this.share, asked: new Map(this.asked) };
  }

  /** End of one change: what was before can be had back. */
  commit() {
    const same = ["values", "pinned"].every((key) => String(this[key]) === String(this.committed[key]));
    if (!same) {
      this.past = [...this.past.slice(-99), this.committed];
      this.future = [];
    }
    this.committed = this.snapshot();
  }

  undo() {
    this.travel(this.past, this.future);
  }

  redo() {
    this.travel(this.future, this.past);
  }

  travel(from, to) {
    if (!from.length) return;
    to.push(this.snapshot());
    Object.assign(this, from.pop());
    this.committed = this.snapshot();
  }

  /** Name → number for the rows that lose something: what Python is told. */
  removed() {
    return Object.fromEntries(this.rows.map((row, i) => [row.name, this.values[i]]).filter(([, value]) => value > 0));
  }

  /** Name → sparsity, exact: for the clipboard, and as `layers` of a recipe. */
  sparsities() {
    const cut = this.rows.filter((row) => this.value(row.name) > 0);
    return Object.fromEntries(cut.map((row) => [row.name, this.shareOf(row)]));
  }
}

/** How much of each row lies below the threshold under which `share` of all their weights lie. */
function sharesBelow(rows, share) {
  const total = rows.reduce((sum, row) => sum + row.total, 0);
  const below = (limit) => rows.reduce((sum, row) => sum + row.total * shareBelow(row, limit), 0);
  let low = Math.min(...rows.map((row) => row.axis[0]));
  let high = Math.max(...rows.map((row) => row.axis[1]));
  for (let step = 0; step < 40; step += 1) {
    const middle = (low + high) / 2;
    if (below(middle) < share * total) low = middle;
    else high = middle;
  }
  return rows.map((row) => [row, share > 0 ? shareBelow(row, (low + high) / 2) : 0]);
}

/** Share of a row's weights below a place on its axis; weights that are exactly zero lie below all of it. */
function shareBelow(row, limit) {
  const [start, end] = row.axis;
  const place = Math.max(0, Math.min(row.bins.length, ((limit - start) / (end - start)) * row.bins.length));
  const bin = Math.min(row.bins.length - 1, Math.floor(place));
  return (row.heap[bin] + (place - bin) * row.bins[bin]) / row.total;
}

/** The opposite: how far along its axis, 0 to 1, a share of a row's weights lies. */
function placeOf(row, share) {
  const count = share * row.total;
  let bin = 0;
  while (bin < row.bins.length - 1 && row.heap[bin + 1] <= count) bin += 1;
  const inside = row.bins[bin] ? (count - row.heap[bin]) / row.bins[bin] : 0;
  return Math.max(0, Math.min(1, (bin + Math.max(0, Math.min(1, inside))) / row.bins.length));
}

/** Weights before each bin, which the two functions above need. */
function withHeap(row) {
  let sum = row.zeros;
  row.heap = row.bins.map((count) => (sum += count) - count);
  return row;
}
