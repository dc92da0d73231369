// The lessons as a row of steps; a select where the window is narrow. Words come from Python and go in as text only.

const TICK = "M3.5 8.5l3 3 6-7";
const CROSS = "M4.5 4.5l7 7M11.5 4.5l-7 7";
const MARKS = { done: [TICK], first: [TICK], second: [TICK, "2"], open: [TICK], wrong: [CROSS] }; // Path, and how often.
const SIGNS = { done: "✓", first: "✓", second: "✓ 2", open: "✓", wrong: "✗" };

function step(entry, i, data, go) {
  const here = entry.id === data.current;
  const dot = el("span", { class: "dot" });
  if (entry.mark) {
    const [path, times] = MARKS[entry.mark];
    dot.append(svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: path })));
    if (times) dot.append(el("span", { class: "times", "aria-hidden": "true" }, times));
  } else dot.textContent = String(i + 1);
  const name = `${i + 1} ${entry.title}${entry.mark ? `, ${entry.said}` : ""}`;
  const button = el(
    "button",
    { type: "button", "data-id": entry.id, title: name, "aria-label": name, "aria-current": here && "step", onclick: () => go(entry.id) },
    dot,
    el("span", { class: "label" }, entry.short),
  );
  const kinds = [here && "here", entry.mark && "done", entry.mark === "wrong" && "wrong"];
  return el("li", { class: kinds.filter(Boolean).join(" ") }, button);
}

export default function ({ parentElement, data, setTriggerValue }) {
  const go = (id) => id !== data.current && setTriggerValue("go", id);
  const focused = parentElement.activeElement?.dataset?.id;
  const row = el("ol", {}, ...data.steps.map((entry, i) => step(entry, i, data, go)));
  const select = el(
    "select",
    { "aria-label": data.name, onchange: (event) => go(event.target.value) },
    ...data.steps.map((entry, i) => {
      const option = el("option", { value: entry.id }, `${i + 1} ${entry.title}${entry.mark ? ` ${SIGNS[entry.mark]} ${entry.said}` : ""}`);
      option.selected = entry.id === data.current;
      return option;
    }),
  );
  const known = data.steps.some((entry) => entry.id === data.current);
  if (!known) select.prepend(el("option", { value: data.current, selected: true }, data.end));
  const root = el("nav", { class: "steps", "aria-label": data.name }, row, select);
  for (const old of parentElement.querySelectorAll("nav.steps")) old.remove();
  parentElement.append(root);
  if (focused) [...row.querySelectorAll("button")].find((button) => button.dataset.id === focused)?.focus();
}
