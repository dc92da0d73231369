// Stages of a deep network: rows in parts that fold, each with a slider for all its rows that are not locked.

const MANY = 60; // Rows; where there are more, all stages but one begin folded.

/** The stages of a board's rows; [] where there are too few rows for parts. */
function stagesOf(data) {
  const found = data.stages ?? [];
  return found.length > 1 ? found : [];
}

const NARROW = "(max-width: 860px)"; // As in board.css: rows take more room there, and the inspector stands below them.

/** Titles of the stages that begin folded: where there are many rows or little room, all but the one with the chosen
    row. A stage of one row has nothing to fold. */
function foldedAtFirst(board) {
  const found = stagesOf(board.data).filter((stage) => stage.rows.length > 1);
  if (board.data.rows.length <= MANY && !matchMedia(NARROW).matches) return new Set();
  const open = found.find((stage) => stage.rows.some(([name]) => name === board.chosen?.name)) ?? found[0];
  return new Set(found.filter((stage) => stage !== open).map((stage) => stage.title));
}

/** One stage: its head, and its rows below it. `make(row, short)` gives a row. */
function makeStage(stage, byName, board, make) {
  const { plan } = board;
  const rows = stage.rows.map(([name]) => byName.get(name));
  const free = rows.filter((row) => row.locked === null);
  const locked = rows.length - free.length;
  const parts = [plural(rows.length, plan.weights ? "layer" : "group"), ...(locked ? [`${locked} locked`] : [])];
  const fold = el(
    "button",
    { type: "button", class: "fold", onclick: () => board.fold(stage.title) },
    icon("fold"),
    el("b", { title: stage.title }, stage.title),
    el("small", {}, parts.join(", ")),
  );
  const slider = el("input", {
    type: "range",
    class: "all",
    min: 0,
    max: 990,
    step: 10,
    value: 0,
    "aria-label": `all rows of ${stage.title} that are not locked`,
  });
  const kept = el("span", { class: "kept" });
  const head = el("div", { class: "row stage" }, fold, free.length ? slider : el("span", {}), kept);
  const list = el("div", { class: "members" }, ...stage.rows.map(([name, short]) => make(byName.get(name), short)));
  const move = (done) => {
    const share = Number(slider.value) / 1000;
    const apply = () => {
      for (const row of free) plan.set(row, plan.valueOf(row, share));
    };
    board.change(null, apply, done);
  };
  slider.addEventListener("input", () => move(false));
  slider.addEventListener("change", () => move(true));

  const total = free.reduce((sum, row) => sum + row.total, 0);
  const tell = () => {
    const left = free.reduce((sum, row) => sum + plan.kept(row), 0);
    const moving = free.filter((row) => !plan.isPinned(row));
    say(kept, total ? `${percentage(left / total)} % kept` : "");
    slider.disabled = !moving.length;
    const at = Number(slider.value) / 1000;
    if (!moving.every((row) => plan.value(row.name) === plan.valueOf(row, at))) {
      slider.value = total ? Math.round(1000 * (1 - left / total)) : 0; // rows have moved on by themselves
    }
    slider.setAttribute("aria-valuetext", `${percentage(total ? 1 - left / total : 0)} % removed`);
  };
  const show = (folded) => {
    fold.setAttribute("aria-expanded", !folded);
    list.hidden = folded;
  };
  return { root: el("section", { class: "part-of-net", "aria-label": stage.title }, head, list), tell, show };
}

function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
