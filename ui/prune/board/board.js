// The board: holds the plan under the user's hand, lets everything on screen follow it, and tells Python.
//
// Python's data imposes a plan only with a new token; until then the board's own plan stands, however late data comes.

const PAUSE = 120; // Milliseconds between two messages to Python while a hand moves.
const BAR = 64; // Height of the bar at the bottom of the window, with some air.
const LEAST_ROOM = 8 * 42; // Eight rows are always there.
const latest = new Map(); // Token → what the board last said: a board drawn anew in this window goes on from there.

class Board {
  constructor(parent) {
    this.root = el("div", { class: "board" });
    this.root.addEventListener("keydown", (event) => this.key(event));
    parent.append(this.root);
    this.dirty = new Set();
    this.seen = new Set(); // rows in sight; the others are drawn when they come into it
    this.sight = new IntersectionObserver((changes) => this.look(changes), { rootMargin: "100px" });
    this.sent = -1e9;
    this.rev = 0;
    this.events = 0;
    this.asks = {};
    this.wanted = {};
    this.watch = new ResizeObserver(() => this.measure());
    this.watch.observe(this.root);
    this.above = new ResizeObserver(() => this.list && this.fit());
    const page = parent.host?.closest("[data-testid=stMainBlockContainer]");
    if (page) this.above.observe(page); // what stands above the board comes and goes
    this.resized = () => this.measure();
    addEventListener("resize", this.resized);
  }

  /** New data from Python, or a new theme. */
  update(component) {
    this.tellPython = (state) => component.setStateValue("plan", state);
    const { data } = component;
    const before = this.data;
    const same = before?.shape === data.shape;
    const imposed = before?.token !== data.token;
    this.data = data;
    if (this.there === data.place) this.there = null;
    this.colours = readPalette(this.root);
    if (!same) this.begin();
    if (imposed) this.take(latest.get(data.token) ?? data, same);
    if (!same) this.build();
    else if (aside(before) !== aside(data)) this.inspect();
    this.tell();
    this.measure();
  }

  /** Other rows than before: another network, granularity or criterion. */
  begin() {
    const { data } = this;
    const weights = data.granularity === "weight";
    this.plan = new Plan(weights ? data.rows.map(withHeap) : data.rows, weights);
    this.mode = data.mode;
    this.group = new Map(data.table.groups.map((entry, i) => [entry.name, i]));
    this.dirty.clear();
    this.dense = costsOf(data.table, data.table.groups.map((entry) => entry.units));
    this.most = Math.max(1, ...this.plan.rows.map((row) => this.macsOf(row, this.dense)));
    this.chosen = null;
    this.folded = null;
    this.wanted = {};
  }

  /** Take over a plan. Where the rows are those of before, that is a step like any other, and can be undone. */
  take(sent, same) {
    if (same) this.plan.commit(); // a drag may be under way
    this.plan.impose(sent);
    if (same) this.plan.commit();
    else this.plan.committed = this.plan.snapshot();
    const { rows } = this.plan;
    this.chosen = rows.find((row) => row.name === sent.chosen) ?? this.chosen ?? rows[0] ?? null;
    this.folded ??= foldedAtFirst(this);
  }

  /** All parts anew. */
  build() {
    this.root.classList.toggle("weights", this.plan.weights);
    this.root.classList.remove("waits");
    this.costs = this.count();
    this.tiles = makeTiles(this);
    this.toolbar = makeToolbar(this);
    this.list = makeRows(this);
    for (const [title, stage] of this.list.stages) stage.show(this.folded.has(title));
    this.sight.disconnect();
    this.seen.clear();
    for (const row of this.plan.rows) this.sight.observe(this.list.rows.get(row.name).root);
    this.place = el("div", { class: "place" });
    const columns = el("div", { class: "columns" }, this.list.root, this.place);
    this.root.replaceChildren(this.tiles.root, this.toolbar.root, columns);
    this.inspect();
  }

  inspect() {
    this.inspector = this.chosen ? makeInspector(this.chosen, this) : null;
    this.place.replaceChildren(this.inspector?.root ?? el("aside", {}, el("p", {}, this.data.allLocked)));
    for (const [name, row] of this.list.rows) row.root.classList.toggle("chosen", name === this.chosen?.name);
  }

  choose(row) {
    if (row === this.chosen) return;
    this.chosen = row;
    this.inspect();
    this.inspector.tell(this.costs);
    this.draw(row);
    this.send(false);
  }

  /** Fold a stage, or open it. */
  fold(title) {
    if (!this.folded.delete(title)) this.folded.add(title);
    this.list.stages.get(title).show(this.folded.has(title));
    this.measure();
  }

  /** One change of the plan: words at once, pictures with the next frame, Python soon, or at once when it is done. */
  change(row, apply, done) {
    if (row) this.choose(row);
    const before = [...this.plan.values];
    apply();
    this.plan.values.forEach((value, i) => {
      if (value !== before[i]) this.moved(this.plan.rows[i], row !== null);
    });
    if (done) this.plan.commit();
    this.settle(done);
  }

  /** A row has changed: draw it; and where a hand moves it alone, light up the rows whose layers read it. */
  moved(row, alone) {
    this.draw(row);
    if (alone) for (const name of row.reading) flash(this.list.rows.get(name).root.querySelector(".text"));
  }

  pin(row) {
    this.choose(row);
    this.plan.pin(row);
    this.plan.commit();
    this.draw(row);
    this.settle(true);
  }

  travel(way) {
    this.plan[way]();
    for (const row of this.plan.rows) this.draw(row);
    this.settle(true);
  }

  settle(done) {
    this.events += 1;
    this.tell();
    this.send(done);
  }

  key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    event.stopPropagation();
    this.travel(event.shiftKey ? "redo" : "undo");
  }

  /** Other things to remove or another score: Python answers with other rows. */
  settings(change) {
    this.wanted = change;
    this.root.classList.add("waits");
    this.send(true);
  }

  /** The engine or machine that the layers' times are to be of. */
  at(place) {
    this.there = place;
    this.send(true);
  }

  /** Whether whole cuts are timed where the layers' times are of. */
  isUsual() {
    return !this.data.places.length || this.data.place === this.data.places[0][0];
  }

  /** Something that Python is to measure. */
  ask(what) {
    this.asks[what] = Date.now();
    this.tell();
    this.send(true);
  }

  /** Whether Python has not answered yet. */
  waitsFor(what) {
    return what in this.asks && this.asks[what] !== this.data.heard[what];
  }

  /** Everything in words and HTML bars, from the plan as it stands. */
  tell() {
    this.costs = this.count();
    this.tiles.tell(this.costs);
    this.toolbar.tell();
    for (const row of this.plan.rows) this.list.rows.get(row.name).tell(this.costs);
    for (const stage of this.list.stages.values()) stage.tell();
    this.inspector?.tell(this.costs);
  }

  /** What the plan costs, as a whole and for each row. */
  count() {
    const { plan, data, dense } = this;
    this.kept = data.table.groups.map((entry) => entry.units);
    if (!plan.weights) for (const row of plan.rows) this.kept[this.group.get(row.name)] = plan.kept(row);
    const now = plan.weights ? dense : costsOf(data.table, this.kept);
    return {
      params: now.params,
      total: now.macs,
      nonzero: plan.weights ? plan.rows.reduce((left, row) => left - lostNonzero(row, plan), data.dense.nonzero) : null,
      macs: (row) => this.macsOf(row, now),
      denseMacs: (row) => this.macsOf(row, dense),
      most: this.most,
      removesNothing: plan.values.every((value) => value === 0),
    };
  }

  macsOf(row, costs) {
    return this.plan.weights ? row.macs : groupMacs(this.data.table, this.group.get(row.name), costs.layers);
  }

  predicted() {
    const { steps, table } = this.data;
    return steps ? predictionWords(predictTime(steps, table, this.kept)) : null;
  }

  curveOf(row) {
    const points = this.data.curves[row.name];
    const { axis, limit, metric } = this.data;
    return points ? { points, axis, limit, metric } : null;
  }

  stepsOf(row) {
    const { steps, drops, table } = this.data;
    return steps ? unitSteps(steps, drops, table, row) : null;
  }

  draw(row) {
    this.dirty.add(row);
    this.stale ||= row === this.chosen;
    this.frame ??= requestAnimationFrame(() => this.paint());
  }

  paint() {
    this.frame = null;
    if (this.stale) this.inspector?.draw(this.colours);
    this.stale = false;
    for (const row of this.dirty) {
      if (!this.seen.has(row.name)) continue;
      this.list.rows.get(row.name).draw(this.sizes, this.colours);
      this.dirty.delete(row);
    }
  }

  look(changes) {
    for (const { target, isIntersecting } of changes) {
      if (isIntersecting) this.seen.add(target.dataset.name);
      else this.seen.delete(target.dataset.name);
    }
    this.frame ??= requestAnimationFrame(() => this.paint());
  }

  /** Sizes or colours may have changed: all pictures anew. */
  measure() {
    if (!this.plan?.rows.length) return;
    this.fit();
    const made = this.plan.rows.map((row) => this.list.rows.get(row.name));
    const { cut, spark } = made.find((row) => row.cut.root.clientWidth) ?? made[0]; // in folded stages nothing is wide
    this.sizes = { cut: cut.root.clientWidth, spark: spark.clientWidth };
    for (const row of this.plan.rows) this.draw(row);
  }

  /** The rows end above the bar at the bottom of the window, so that tiles and rows are seen together. */
  fit() {
    const scrolled = this.root.getRootNode().host?.closest("[data-testid=stMain]")?.scrollTop ?? 0;
    const top = this.list.list.getBoundingClientRect().top + scrolled;
    this.root.style.setProperty("--room", `${Math.max(LEAST_ROOM, innerHeight - top - BAR)}px`);
  }

  /** Tell Python: at once, or with the next message that is due. */
  send(now) {
    const wait = now ? 0 : Math.max(0, this.sent + PAUSE - performance.now());
    if (wait && this.timer) return;
    clearTimeout(this.timer);
    this.timer = wait ? setTimeout(() => this.send(true), wait) : null;
    if (wait) return;
    this.sent = performance.now();
    this.rev += 1;
    this.root.dataset.rev = this.rev;
    const state = { rev: this.rev, token: this.data.token, ...this.state() };
    latest.set(state.token, state);
    this.tellPython(state);
  }

  state() {
    const { plan, data } = this;
    return {
      removed: plan.removed(),
      pinned: plan.rows.filter((row) => plan.isPinned(row)).map((row) => row.name),
      share: plan.share,
      asked: Object.fromEntries([...plan.asked].map(([name, { share }]) => [name, share])),
      mode: this.mode,
      chosen: this.chosen?.name ?? null,
      granularity: data.granularity,
      criterion: data.criterion,
      asks: { ...this.asks },
      place: this.there ?? data.place,
      ...this.wanted,
    };
  }

  end() {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.watch.disconnect();
    this.sight.disconnect();
    this.above.disconnect();
    removeEventListener("resize", this.resized);
  }
}

/** What the inspector shows beside the plan: where it is the same, the inspector stays, perhaps under a hand. */
function aside({ curves, limit, steps, widths, places, place }) {
  return JSON.stringify([curves, limit, steps?.dense, steps?.error, widths, places, place]);
}

/** How many weights of a row become zero that were not zero before. */
function lostNonzero(row, plan) {
  const lost = row.total - plan.kept(row);
  return lost - (lost && row.zerosLost ? row.zerosLost[plan.value(row.name)] : 0);
}

export default living(Board);
