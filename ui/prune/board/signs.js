// Signs that the board draws in words: icons, badges, bars, and a light where something changes.

/** Set the width of a bar, a share of the whole, if it is another than before. */
function extend(bar, share) {
  const width = `${(100 * share).toFixed(1)}%`;
  if (bar.extended === width) return;
  bar.extended = width;
  bar.style.width = width;
}

const ICONS = {
  link: '<path d="M6.5 9.5l3-3M7 4.5l1-1a3 3 0 014.5 4.3l-1.3 1.3M9 11.5l-1 1a3 3 0 01-4.5-4.3l1.3-1.3"/>',
  lock: '<rect x="3" y="7" width="10" height="7" rx="1.5"/><path d="M5 7V5a3 3 0 016 0v2"/>',
  open: '<rect x="3" y="7" width="10" height="7" rx="1.5"/><path d="M5 7V5a3 3 0 015.6-1.5"/>',
  fold: '<path d="M4 6l4 4 4-4"/>',
  undo: '<path d="M3 6h6.5a3.5 3.5 0 010 7H6M6 3L3 6l3 3"/>',
  redo: '<path d="M13 6H6.5a3.5 3.5 0 000 7H10M10 3l3 3-3 3"/>',
  copy:
    '<rect x="5.5" y="5.5" width="8" height="8" rx="1.5"/>' +
    '<path d="M10.5 5.5v-2A1 1 0 009.5 2.5h-6a1 1 0 00-1 1v6a1 1 0 001 1h2"/>',
};

/** A small drawing in the colour of the text around it. */
function icon(name) {
  const holder = document.createElement("template");
  holder.innerHTML = `<svg width="14" height="14" viewBox="0 0 16 16" fill="none" stroke="currentColor"
    stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${ICONS[name]}</svg>`;
  return holder.content.firstChild;
}

const MEANINGS = { estimated: "estimated", measured: "measured", tuned: "measured after fine-tuning" };
const SYMBOLS = { estimated: "○", measured: "●", tuned: "◆" };

/** How a number came about, as pruning/render/markup/badges.py draws it. */
function badge(kind) {
  const meaning = MEANINGS[kind];
  const attributes = { class: `badge ${kind}`, role: "img", title: meaning, "aria-label": meaning };
  return el("span", attributes, el("i", {}, SYMBOLS[kind]));
}

/** Light an element up for a moment: it changes because of what the hand does elsewhere. */
function flash(element) {
  const now = performance.now();
  if (now - (element.flashed ?? -1e9) < 450 || isCalm()) return;
  element.flashed = now;
  const colour = getComputedStyle(element).getPropertyValue("--flash");
  const frames = [{ backgroundColor: colour }, { backgroundColor: "transparent" }];
  element.animate(frames, { duration: 700, easing: "ease-out" });
}
