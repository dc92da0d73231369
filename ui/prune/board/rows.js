// The rows: name, bars that are the slider, what is kept, share of MACs, curve, lock.

const ROW_HEIGHT = 34;

/** All rows of the board. */
function makeRows(board) {
  const weights = board.plan.weights;
  const titles = weights
    ? ["layer", "scores, log axis: drag the cut", "kept", "MACs", "alone", ""]
    : ["group", "sorted scores: drag the cut", "kept", "MACs", "alone", ""];
  const list = el("div", { class: "rows" });
  const root = el(
    "section",
    { class: "list", "aria-label": weights ? "layers" : "channel groups" },
    el("div", { class: "row head" }, ...titles.map((title) => el("span", {}, title))),
    list,
  );
  const rows = new Map();
  const make = (row, short) => {
    const made = row.locked === null ? makeRow(row, board, short) : { root: lockedRow(row, short), name: null };
    made.root.dataset.name = row.name;
    rows.set(row.name, made);
    return made.root;
  };
  const stages = new Map();
  const byName = new Map(board.data.rows.map((row) => [row.name, row]));
  for (const stage of stagesOf(board.data)) {
    if (stage.rows.length > 1) stages.set(stage.title, makeStage(stage, byName, board, make));
    const [[name]] = stage.rows;
    list.append(stages.get(stage.title)?.root ?? make(byName.get(name), shortOf(byName.get(name))));
  }
  if (!stages.size) list.append(...board.data.rows.map((row) => make(row, shortOf(row))));
  return { root, list, rows, stages };
}

function nameOf(row, short, icons) {
  const text = el("span", { class: "text" }, el("bdi", {}, short));
  const name = el("span", { class: "name", title: row.label }, text);
  const { length } = row.layers;
  const title = `${length} layers lose the same channels`;
  if (length > 1) name.append(el("i", { title }, icon("link"), String(length)));
  name.append(...icons);
  return name;
}

function lockedRow(row, short) {
  const why = el("span", { class: "why", title: row.locked }, `locked: ${row.locked}`);
  const name = nameOf(row, short, [el("i", {}, icon("lock"))]);
  return el("div", { class: "row locked" }, name, why, el("span", { class: "kept" }, whole(row.total)));
}

function makeRow(row, board, short) {
  const { plan } = board;
  const words = plan.weights ? `${row.label}: weights removed` : `${row.label}: ${unitsOf(row)} removed`;
  const cut = makeCut(row, board, { height: ROW_HEIGHT, label: words, tabbable: true });
  const kept = el("b", {});
  const note = el("small", {});
  const stay = el("i", {});
  const saved = el("u", {});
  const meter = el("span", { class: "meter" }, stay, saved);
  meter.addEventListener("pointerenter", () => (meter.title = macsWords(row, board)));
  const spark = el("canvas", { class: "spark", "aria-hidden": "true" });
  const lock = el("button", { class: "lock", type: "button", onclick: () => board.pin(row) });
  const name = nameOf(row, short, []);
  const before = plan.weights ? [] : [el("s", {}, `${whole(row.total)} →`), " "];
  const root = el(
    "div",
    { class: "row", onclick: () => board.choose(row) },
    name,
    cut.root,
    el("span", { class: "kept" }, el("span", {}, ...before, kept), note),
    meter,
    spark,
    lock,
  );

  /** Words and bars of HTML: at once, with every event. */
  const tell = (costs) => {
    cut.follow();
    const left = plan.kept(row);
    say(kept, plan.weights ? `${((100 * left) / row.total).toFixed(1)} %` : whole(left));
    const asked = plan.askedOf(row);
    const differs = asked !== null && !plan.weights && Math.abs(asked - plan.shareOf(row)) > 0.0005;
    const achieved = differs ? `${percentage(plan.shareOf(row))} of ${percentage(asked)} %` : "";
    say(note, plan.weights ? `${amount(left)} of ${amount(row.total)}` : achieved);
    note.title = differs ? askedWords(row, plan, asked) : "";
    const macs = costs.macs(row);
    extend(stay, macs / costs.most);
    extend(saved, (costs.denseMacs(row) - macs) / costs.most);
    const pinned = plan.isPinned(row);
    if (lock.getAttribute("aria-pressed") !== String(pinned)) {
      lock.replaceChildren(icon(pinned ? "lock" : "open"));
      lock.setAttribute("aria-pressed", pinned);
      lock.setAttribute("aria-label", `keep ${row.label} as it is`);
      lock.title = pinned ? "Locked by you: click to free it" : "Lock: it keeps its cut, whatever moves";
    }
  };

  /** Canvases: with the next frame. */
  const draw = (sizes, colours) => {
    cut.draw(sizes.cut, colours);
    const curve = board.curveOf(row);
    if (curve) drawCurve(spark, sizes.spark, ROW_HEIGHT, curve, plan.shareOf(row), colours, false);
    else drawNoCurve(spark, sizes.spark, ROW_HEIGHT, colours);
  };
  return { root, name, cut, spark, tell, draw };
}

function macsWords(row, { costs }) {
  const layers = row.readers.length ? "these layers and those that read them" : "this layer";
  return `${whole(costs.macs(row))} of ${whole(costs.denseMacs(row))} MACs stay in ${layers}`;
}

/** 'asked for 30 %; 4 of 16 units are 25 %' */
function askedWords(row, plan, asked) {
  const achieved = percentage(plan.shareOf(row));
  return `asked for ${percentage(asked)} %; ${plan.value(row.name)} of ${row.total} ${unitsOf(row)} are ${achieved} %`;
}

/** A row's name in little room. */
function shortOf(row) {
  return row.short ?? row.label;
}

/** What a row's units are, in the plural. */
function unitsOf(row) {
  return row.heads ? "heads" : "units";
}
