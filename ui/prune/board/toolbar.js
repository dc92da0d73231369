// What goes and by which score; all rows at once; steps back and forth; the plan for the clipboard.

const IN_SIGHT = 3; // Criteria that stand before the others.
const MODES = "Same share: every row loses as much of itself. Same threshold: the lowest scores go, wherever they are.";

function makeToolbar(board) {
  const { plan } = board;
  const all = makeMaster(board);
  const tool = (name, title, run, words) =>
    el(
      "button",
      { type: "button", class: "ghost tool", "data-tool": name, title, "aria-label": title, onclick: run },
      words ?? icon(name),
    );
  const undo = tool("undo", "Undo (Ctrl+Z)", () => board.travel("undo"));
  const redo = tool("redo", "Redo (Ctrl+Shift+Z)", () => board.travel("redo"));
  const back = () => board.change(null, () => plan.reset(), true);
  const reset = tool("reset", "Put every row that is not locked back to whole", back, "Reset");
  const copied = el("span", { class: "copied", role: "status" });
  const copy = tool("copy", "Copy the plan: sparsity of each row, as JSON", () => copyPlan(board, copied));
  const root = el(
    "div",
    { class: "bar" },
    el("span", { class: "soft" }, "Remove"),
    granularityChoice(board),
    el("span", { class: "soft" }, "by"),
    criterionChoice(board),
    el("span", { class: "grow" }),
    copied,
    ...all.parts,
    undo,
    redo,
    reset,
    copy,
  );
  const tell = () => {
    undo.disabled = !plan.past.length;
    redo.disabled = !plan.future.length;
    all.tell();
  };
  return { root, tell };
}

function granularityChoice(board) {
  const { granularity } = board.data;
  const choose = (name) => name !== granularity && board.settings({ granularity: name });
  const buttons = board.data.kinds.map(([name, words, help]) => {
    const pressed = String(granularity === name);
    const attributes = { type: "button", title: help, "aria-pressed": pressed, "data-choice": name };
    return el("button", { ...attributes, onclick: () => choose(name) }, words);
  });
  return el("span", { class: "choice", role: "group", "aria-label": "what is removed" }, ...buttons);
}

function criterionChoice(board) {
  const { criteria, criterion } = board.data;
  const choose = (event) => board.settings({ criterion: event.target.value });
  const options = criteria.map(([name, title, why]) =>
    el("option", { value: name, selected: name === criterion, disabled: Boolean(why), title: why || null }, title),
  );
  const more = options.slice(IN_SIGHT);
  return el(
    "select",
    { "aria-label": "by which score", "data-role": "criterion", onchange: choose },
    ...options.slice(0, IN_SIGHT),
    ...(more.length ? [el("optgroup", { label: "More" }, ...more)] : []),
  );
}

/** One slider for all rows that are not locked: the same share of each, or one threshold for all scores. */
function makeMaster(board) {
  const { plan } = board;
  const slider = el("input", {
    type: "range",
    class: "all",
    min: 0,
    max: 990,
    step: plan.weights ? 5 : 10,
    value: Math.round(1000 * plan.share),
    "aria-label": "all rows that are not locked",
  });
  const says = el("output", {});
  const mode = el(
    "select",
    { "aria-label": "how all rows are cut", "data-role": "mode", title: MODES },
    el("option", { value: "uniform" }, "same % everywhere"),
    el("option", { value: "threshold" }, "same threshold"),
  );
  mode.value = board.mode;
  mode.addEventListener("change", () => {
    board.mode = mode.value;
    board.tell();
  });
  const move = (done) => board.change(null, () => plan[mode.value](Number(slider.value) / 1000), done);
  slider.addEventListener("input", () => move(false));
  slider.addEventListener("change", () => move(true));

  const tell = () => {
    const free = plan.rows.filter((row) => !plan.isPinned(row));
    const uniform = free.every((row) => plan.value(row.name) === plan.valueOf(row, plan.share));
    const at = Math.round(1000 * plan.share);
    if (mode.value === "uniform" && uniform && Number(slider.value) !== at) slider.value = at;
    slider.disabled = !free.length;
    say(says, `${percentage(Number(slider.value) / 1000)} %`);
    says.classList.toggle("soft", mode.value === "uniform" && !uniform); // rows have moved on by themselves
    const words = mode.value === "uniform" ? `${says.said} of each row` : `the lowest ${says.said} of all scores`;
    slider.setAttribute("aria-valuetext", words);
  };
  return { parts: [el("label", { class: "master" }, "All", slider, says), mode], tell };
}

/** The plan as JSON for the clipboard; where the browser refuses, as a text to be copied by hand. */
async function copyPlan(board, place) {
  const text = JSON.stringify(board.plan.sparsities());
  try {
    await navigator.clipboard.writeText(text);
    place.replaceChildren("copied");
    setTimeout(() => place.replaceChildren(), 1500);
  } catch {
    const label = "the plan as JSON: copy it by hand";
    const leave = () => place.replaceChildren();
    const field = el("textarea", { readonly: true, rows: 1, "aria-label": label, onblur: leave });
    field.value = text;
    place.replaceChildren(field);
    field.focus();
    field.select();
  }
}
