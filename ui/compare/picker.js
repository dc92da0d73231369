// Pictures as buttons: one of them is chosen, with the mouse or with the keyboard. Text goes in as text only.

function picture(source, name) {
  if (source === null) return el("i", { class: "gone", title: `${name}: removed` });
  return el("img", { src: source, alt: "", title: name });
}

function tile(item, data, choose) {
  const button = el(
    "button",
    { type: "button", class: "tile", "data-id": item.id, "aria-label": item.aria, disabled: item.disabled === true },
    el("span", { class: "head" }, item.caption),
    el("span", { class: "pair" }, ...item.pictures.map((source, i) => picture(source, data.names[i]))),
  );
  if (item.mark) button.classList.add("marked");
  button.addEventListener("click", () => choose(item.id));
  return button;
}

/** Arrow keys go from picture to picture, Home and End to the ends: Tab needs only one stop. */
function walk(event, root) {
  const tiles = [...root.querySelectorAll(".tile:not(:disabled)")];
  const at = tiles.indexOf(event.target.closest(".tile"));
  if (at < 0) return;
  const columns = tiles.filter((other) => other.offsetTop === tiles[0].offsetTop).length;
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  let to = null;
  if (event.key in steps) to = at + steps[event.key];
  if (event.key === "Home") to = 0;
  if (event.key === "End") to = tiles.length - 1;
  if (to === null || !tiles[to]) return;
  event.preventDefault();
  tiles[at].tabIndex = -1;
  tiles[to].tabIndex = 0;
  tiles[to].focus();
}

const drawn = new WeakMap();

export default function (component) {
  const { parentElement, data, setStateValue } = component;
  let root = parentElement.querySelector(".picker");
  if (!root) {
    root = el("div", { class: "picker", role: "group" });
    root.addEventListener("keydown", (event) => walk(event, root));
    parentElement.append(root);
  }
  const choose = (id) => {
    mark(root, id);
    setStateValue("chosen", id);
  };
  const content = JSON.stringify([data.items, data.size, data.names, data.label]);
  if (drawn.get(root) !== content) {
    drawn.set(root, content);
    root.setAttribute("aria-label", data.label);
    root.style.setProperty("--size", `${data.size}px`);
    root.replaceChildren(...data.items.map((item) => tile(item, data, choose)));
  }
  mark(root, data.chosen);
}

function mark(root, id) {
  const tiles = [...root.querySelectorAll(".tile:not(:disabled)")];
  const chosen = tiles.find((other) => other.dataset.id === String(id)) ?? null;
  for (const other of tiles) {
    other.setAttribute("aria-pressed", String(other === chosen));
    other.tabIndex = other === (chosen ?? tiles[0]) ? 0 : -1;
  }
}
