// The panel beside the rows: the chosen row in large, an exact number, its curve, its time, and who shrinks with it.

const LARGE = 92;
const SHOWN = 6;

/** The panel for one row; `tell` brings words up to date, `draw` the pictures. */
function makeInspector(row, board) {
  const { plan } = board;
  const cut = makeCut(row, board, { height: LARGE, label: `${row.label}, in large`, tabbable: false });
  const goes = el("b", { class: "goes" });
  const stays = el("b", { class: "stays" });
  const number = el("input", {
    type: "number",
    id: "exact",
    min: plan.weights ? 0 : row.least,
    max: plan.weights ? 99.9 : row.total,
    step: plan.weights ? 0.1 : 1,
    onchange: (event) => {
      const typed = Number(event.target.value);
      const valid = event.target.value !== "" && Number.isFinite(typed);
      if (valid) board.change(row, () => plan.set(row, plan.weights ? 10 * typed : row.total - typed), true);
      else tell(board.costs);
    },
  });
  const exact = plan.weights
    ? el("label", { class: "exact" }, "remove", number, "% of the weights")
    : el("label", { class: "exact" }, "keep", number, `of ${whole(row.total)} ${unitsOf(row)}`);
  const asked = el("small", { class: "note" });
  const macs = el("b", {});
  const through = row.heads ? "heads" : "channels";
  const help = `Of the layers these ${through} run through; a layer between two groups counts for both.`;
  const macsLine = el("div", { class: "macs", title: help }, "MACs ", macs, badge("measured"));
  const curve = curvePart(row, board);
  const widths = plan.weights ? null : widthsPart(row, board);
  const layers = plan.weights ? null : layersPart(row, board);
  const root = el(
    "aside",
    { "aria-label": `inspector: ${row.label}` },
    el("h2", {}, row.label),
    el("p", {}, row.words),
    cut.root,
    el("div", { class: "ends" }, el("span", {}, "go first"), el("span", {}, goes, " · ", stays), el("span", {}, "go last")),
    ...(isSteep(row, plan) ? [el("small", { class: "note" }, "The bars are square roots of the scores.")] : []),
    el("div", { class: "line" }, exact, asked),
    ...(plan.weights ? [] : [macsLine]),
    ...[curve, widths, layers].filter(Boolean).map((part) => part.root),
  );

  const tell = (costs) => {
    cut.follow();
    const left = plan.kept(row);
    say(goes, `${whole(row.total - left)} ${plan.weights ? "become zero" : "removed"}`);
    say(stays, `${whole(left)} ${plan.weights ? "stay" : "kept"}`);
    const value = plan.weights ? plan.value(row.name) / 10 : left;
    if (Number(number.value) !== value || number.value === "") number.value = value;
    number.disabled = plan.isPinned(row);
    const wish = plan.askedOf(row);
    const differs = wish !== null && !plan.weights && Math.abs(wish - plan.shareOf(row)) > 0.0005;
    say(asked, differs ? askedWords(row, plan, wish) : "");
    say(macs, `${amount(costs.denseMacs(row))} → ${amount(costs.macs(row))}`);
    widths?.tell();
    layers?.tell(costs);
  };

  const draw = (colours) => {
    const width = cut.root.clientWidth;
    cut.draw(width, colours);
    curve.draw(width, colours);
    widths?.draw(width, colours);
  };
  return { root, tell, draw };
}

/** The metric when only this row loses something. */
function curvePart(row, board) {
  const known = board.curveOf(row);
  const root = el("div", { class: "part" });
  if (!known) {
    const hint = `How ${board.data.metric} changes with this row alone: run Sensitivity and its curve stands here.`;
    root.append(el("small", { class: "note" }, hint));
    return { root, draw: () => {} };
  }
  const words = `${known.metric} of the network when only ${row.label} is cut`;
  const canvas = el("canvas", { role: "img", "aria-label": words, style: "height:118px" });
  const title = known.metric[0].toUpperCase() + known.metric.slice(1);
  root.append(el("h3", {}, `${title} when only this row is cut`, badge("measured")), canvas);
  return {
    root,
    draw: (width, colours) => drawCurve(canvas, width, 118, known, board.plan.shareOf(row), colours, true),
  };
}

/** Time of the layer against its width, and the nearest widths that pay. */
function widthsPart(row, board) {
  const { plan } = board;
  const steps = board.stepsOf(row);
  const root = el("div", { class: "part" });
  if (!steps) {
    const { running, button, words } = board.data.widths;
    const measure = { type: "button", class: "ghost", disabled: running, onclick: () => board.ask("widths") };
    const line = el("div", { class: "line" }, el("button", measure, button), el("small", { class: "note" }, words));
    root.append(el("h3", {}, "Time of this layer by width"), placeChoice(board), line);
    return { root, tell: () => {}, draw: () => {} };
  }
  const words = `time of ${steps.layer} by its width`;
  const canvas = el("canvas", { role: "img", "aria-label": words, style: "height:56px" });
  const now = el("span", { class: "now" });
  const snap = (width, offer) => {
    const take = () => board.change(row, () => plan.set(row, row.total - width), true);
    return el("button", { type: "button", class: "ghost snap", disabled: plan.isPinned(row), onclick: take }, offer);
  };
  const snaps = el("div", { class: "line snaps" });
  const title = el("h3", {}, `Time of ${steps.layer} by width`, badge("measured"), now);
  root.append(title, placeChoice(board), canvas, snaps);
  return {
    root,
    tell: () => {
      const left = plan.kept(row);
      say(now, `${whole(left)}: ${milliseconds(timeAt(steps, left))}`);
      snaps.replaceChildren(...snapsOf(steps, left).map(({ width, words: offer }) => snap(width, offer)));
    },
    draw: (width, colours) => drawWidths(canvas, width, 56, steps.widths, steps.times, plan.kept(row), colours),
  };
}

/** The engine or machine that times are of, where there are several. */
function placeChoice(board) {
  const { places, place } = board.data;
  if (places.length < 2) return "";
  const options = (here) =>
    places.filter((one) => one[2] === here).map(([name, title]) => el("option", { value: name, selected: name === place }, title));
  const elsewhere = options(false);
  const choose = (event) => board.at(event.target.value);
  return el(
    "label",
    { class: "soft" },
    "on ",
    el(
      "select",
      { "data-role": "place", "aria-label": "the engine or machine that times are of", onchange: choose },
      ...options(true),
      ...(elsewhere.length ? [el("optgroup", { label: "Other machines" }, ...elsewhere)] : []),
    ),
  );
}

/** Layers that lose the same units, and layers that read them, each with a bar that moves along. */
function layersPart(row, board) {
  const { plan } = board;
  const root = el("div", { class: "part" });
  const bars = [];
  const reading = row.readers.length === 1 ? "layer reads them and shrinks along" : "layers read them and shrink along";
  for (const [title, names] of [[`layers lose the same ${row.heads ? "heads" : "channels"}`, row.layers], [reading, row.readers]]) {
    if (!names.length || (names === row.layers && names.length === 1)) continue;
    root.append(el("h3", {}, `${names.length} ${title}`));
    for (const name of names.slice(0, SHOWN)) {
      const bar = el("i", {});
      const meter = el("span", { class: "meter" }, bar);
      const entry = el("div", { class: "layer" }, el("span", { title: name }, el("bdi", {}, name)), meter);
      bars.push([entry, bar, names === row.readers]);
      root.append(entry);
    }
    const rest = names.slice(SHOWN);
    if (rest.length) root.append(el("small", { class: "note", title: rest.join(", ") }, `and ${rest.length} more`));
  }
  let last = plan.kept(row);
  return {
    root,
    tell: () => {
      const left = plan.kept(row);
      for (const [entry, bar, reads] of bars) {
        extend(bar, left / row.total);
        if (reads && left !== last) flash(entry);
      }
      last = left;
    },
  };
}
