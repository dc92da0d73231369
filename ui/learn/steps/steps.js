// The lessons as a row of steps; a select where the window is narrow. Words come from Python and go in as text only.

const TICK = '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3.5 8.5l3 3 6-7"/></svg>';

function step(entry, i, data, go) {
  const here = entry.id === data.current;
  const dot = el("span", { class: "dot" });
  if (entry.done) dot.innerHTML = TICK;
  else dot.textContent = String(i + 1);
  const name = `${i + 1} ${entry.title}${entry.done ? `, ${data.done}` : ""}`;
  const button = el(
    "button",
    { type: "button", "data-id": entry.id, title: entry.title, "aria-label": name, "aria-current": here && "step", onclick: () => go(entry.id) },
    dot,
    el("span", { class: "label" }, entry.short),
  );
  return el("li", { class: [here && "here", entry.done && "done"].filter(Boolean).join(" ") }, button);
}

export default function ({ parentElement, data, setTriggerValue }) {
  const go = (id) => id !== data.current && setTriggerValue("go", id);
  const focused = parentElement.activeElement?.dataset?.id;
  const row = el("ol", {}, ...data.steps.map((entry, i) => step(entry, i, data, go)));
  const select = el(
    "select",
    { "aria-label": data.name, onchange: (event) => go(event.target.value) },
    ...data.steps.map((entry, i) => {
      const option = el("option", { value: entry.id }, `${i + 1} ${entry.title}${entry.done ? " ✓" : ""}`);
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
