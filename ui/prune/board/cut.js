// Bars that are a slider: a canvas, and over it a range input that nobody sees but every keyboard and reader finds.

/**
 * One such slider. `told(value, done)` hears every step; `done` says that the hand has let go.
 * Where single weights go, the bars stand on an axis of magnitudes: there a strip over the input takes the pointer.
 */
function makeCut(row, board, { height, label, tabbable }) {
  const { plan } = board;
  const canvas = el("canvas", { "aria-hidden": "true", style: `height:${height}px` });
  const input = el("input", {
    type: "range",
    min: 0,
    max: plan.weights ? 1000 : row.total, // one more than may go: so that the pointer stays on the cut
    step: 1,
    "aria-label": label,
    "aria-valuemax": plan.most(row),
    tabindex: tabbable ? 0 : -1,
  });
  const told = (done) => {
    const value = plan.clamp(row, Number(input.value));
    if (String(value) !== input.value) input.value = value;
    board.change(row, () => plan.set(row, value), done);
  };
  input.addEventListener("input", () => told(false));
  input.addEventListener("change", () => told(true));
  input.addEventListener("focus", () => board.choose(row));
  const root = el("span", { class: "cut", style: `height:${height}px` }, canvas, input);
  if (plan.weights) root.append(strip(row, board, input));
  const draw = (width, colours) => drawCut(canvas, width, height, row, plan, colours);
  const follow = () => {
    const value = plan.value(row.name);
    if (input.value !== String(value)) input.value = value;
    input.disabled = plan.isPinned(row);
    root.classList.toggle("pinned", input.disabled);
    const words = spoken(row, plan);
    if (input.getAttribute("aria-valuetext") !== words) input.setAttribute("aria-valuetext", words);
  };
  return { root, input, draw, follow };
}

/** Takes the pointer where the axis is one of magnitudes, and moves the input below it. */
function strip(row, board, input) {
  const pad = el("span", { class: "strip" });
  let held = false;
  const move = (event, kind) => {
    const box = pad.getBoundingClientRect();
    const place = Math.max(0, Math.min(1, (event.clientX - box.left - EDGE) / (box.width - 2 * EDGE)));
    const [start, end] = row.axis;
    input.value = board.plan.clamp(row, place > 0 ? 1000 * shareBelow(row, start + place * (end - start)) : 0);
    input.dispatchEvent(new Event(kind));
  };
  pad.addEventListener("pointerdown", (event) => {
    if (input.disabled || event.button !== 0) return;
    event.preventDefault();
    input.focus({ preventScroll: true });
    pad.setPointerCapture(event.pointerId);
    held = true;
    move(event, "input");
  });
  pad.addEventListener("pointermove", (event) => held && move(event, "input"));
  for (const end of ["pointerup", "pointercancel"]) {
    pad.addEventListener(end, (event) => {
      if (!held) return;
      held = false;
      input.dispatchEvent(new Event("change"));
    });
  }
  return pad;
}

/** What a slider says aloud: '24 of 64 removed', '45.3 % of 900 weights removed'. */
function spoken(row, plan) {
  const value = plan.value(row.name);
  if (!plan.weights) return `${value} of ${row.total} removed`;
  return `${(value / 10).toFixed(1)} % of ${whole(row.total)} weights removed`;
}
