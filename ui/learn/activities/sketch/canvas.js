// A curve to be drawn by hand: nine points over the share removed, each a range input for keyboards and screen readers.
//
// The drawing is this window's; Python hears of it when the hand lets go. Words come from Python and go in as text only.

const HEIGHT = 330;
const EDGE = { left: 48, right: 14, top: 14, bottom: 44 };
const PAUSE = 250; // Milliseconds after the last key before Python is told.

class Canvas {
  constructor(parent) {
    this.root = el("div", { class: "sketch" });
    parent.append(this.root);
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.root);
  }

  update(component) {
    const fresh = this.data?.token !== component.data.token;
    this.data = component.data;
    this.tell = (curve) => component.setStateValue("curve", curve);
    if (fresh) this.begin();
    this.inputs.forEach((input) => (input.disabled = this.locked));
    this.draw();
  }

  get locked() {
    return this.data.measured !== null;
  }

  /** Another group, or the same anew. */
  begin() {
    const { xs, start, values, words } = this.data;
    this.values = values ?? xs.map(() => start);
    this.drawn = values !== null;
    this.picture = svg("svg", { role: "img", "aria-label": words.name });
    this.picture.addEventListener("pointerdown", (event) => this.press(event));
    this.picture.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) this.picture.addEventListener(name, () => this.release());
    this.inputs = xs.map((x, i) => this.input(x, i));
    this.root.replaceChildren(this.picture, ...this.inputs);
    this.width = 0;
  }

  input(x, i) {
    return el("input", {
      type: "range",
      min: 0,
      max: 100,
      step: 1,
      value: this.values[i],
      "aria-label": this.data.words.point.replace("{percent}", x),
      oninput: (event) => {
        this.values[i] = Number(event.target.value);
        this.drawn = true;
        this.draw();
        clearTimeout(this.later);
        this.later = setTimeout(() => this.send(), PAUSE);
      },
      onfocus: () => this.draw(),
      onblur: () => this.draw(),
    });
  }

  x(percent) {
    return EDGE.left + ((this.root.clientWidth - EDGE.left - EDGE.right) * percent) / 100;
  }

  y(percent) {
    return EDGE.top + (HEIGHT - EDGE.top - EDGE.bottom) * (1 - percent / 100);
  }

  at(event) {
    const box = this.picture.getBoundingClientRect();
    const value = 100 * (1 - (event.clientY - box.top - EDGE.top) / (HEIGHT - EDGE.top - EDGE.bottom));
    return [event.clientX - box.left, Math.round(Math.min(100, Math.max(0, value)))];
  }

  press(event) {
    if (this.locked || event.button) return;
    this.picture.setPointerCapture(event.pointerId);
    this.last = null;
    this.hand = true;
    this.move(event);
  }

  /** Every point that the hand has passed since the last event takes the height it passed it at. */
  move(event) {
    if (!this.hand) return;
    const here = this.at(event);
    const before = this.last ?? here;
    const [low, high] = here[0] < before[0] ? [here, before] : [before, here];
    const reach = (this.x(100) - this.x(0)) / 24;
    this.data.xs.forEach((percent, i) => {
      const x = this.x(percent);
      if (x >= low[0] && x <= high[0] && high[0] > low[0]) {
        this.values[i] = Math.round(low[1] + ((high[1] - low[1]) * (x - low[0])) / (high[0] - low[0]));
      } else if (Math.abs(x - here[0]) <= reach) {
        this.values[i] = here[1];
      } else return;
      this.drawn = true;
    });
    this.last = here;
    this.draw();
  }

  release() {
    if (!this.hand) return;
    this.hand = false;
    if (this.drawn) this.send();
  }

  send() {
    this.tell({ token: this.data.token, values: [...this.values] });
  }

  draw() {
    if (!this.data || !this.root.clientWidth) return;
    const { xs, start, measured, words } = this.data;
    const width = this.root.clientWidth;
    this.picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.picture.setAttribute("height", HEIGHT);
    this.picture.classList.toggle("locked", this.locked);
    const parts = [];
    for (const level of [0, 25, 50, 75, 100]) {
      parts.push(svg("line", { class: "grid", x1: this.x(0), x2: this.x(100), y1: this.y(level), y2: this.y(level) }));
      parts.push(svg("text", { x: EDGE.left - 8, y: this.y(level) + 4, "text-anchor": "end" }, String(level)));
    }
    const narrow = width < 480;
    for (const percent of [0, ...xs]) {
      if (narrow && percent % 20) continue;
      parts.push(svg("text", { x: this.x(percent), y: HEIGHT - 26, "text-anchor": "middle" }, String(percent)));
    }
    parts.push(svg("text", { x: this.x(50), y: HEIGHT - 6, "text-anchor": "middle" }, words.axis_x));
    parts.push(svg("text", { x: 0, y: 0, "text-anchor": "middle", transform: `translate(12 ${this.y(50)}) rotate(-90)` }, words.axis_y));
    const path = (points) => points.map(([x, y]) => `${this.x(x).toFixed(1)},${this.y(y).toFixed(1)}`).join(" ");
    const mine = [[0, start], ...xs.map((x, i) => [x, this.values[i]])];
    if (measured) {
      const band = [...measured.map((p) => [p.x, p.high]), ...measured.map((p) => [p.x, p.low]).reverse()];
      parts.push(svg("polygon", { class: "band", points: path(band) }));
      measured.slice(1).forEach((p, i) => {
        const x = this.x(xs[i]);
        parts.push(svg("line", { class: "gap", x1: x, x2: this.x(p.x), y1: this.y(this.values[i]), y2: this.y(p.y) }));
      });
      parts.push(svg("polyline", { class: "measured", points: path(measured.map((p) => [p.x, p.y])) }));
      for (const p of measured) {
        const dot = svg("circle", { class: "found", cx: this.x(p.x), cy: this.y(p.y), r: 4.5 });
        dot.append(svg("title", {}, `${p.x} %: ${p.y.toFixed(1)} % (${p.low.toFixed(1)}–${p.high.toFixed(1)})`));
        parts.push(dot);
      }
    }
    parts.push(svg("polyline", { class: this.drawn ? "mine" : "mine waits", points: path(mine) }));
    const focused = this.inputs.indexOf(this.root.getRootNode().activeElement);
    xs.forEach((x, i) => {
      const kind = i === focused ? "point here" : this.drawn ? "point" : "point waits";
      parts.push(svg("circle", { class: kind, cx: this.x(x), cy: this.y(this.values[i]), r: this.locked ? 3.5 : 6 }));
      const input = this.inputs[i];
      input.value = this.values[i];
      input.setAttribute("aria-valuetext", `${this.values[i]} %`);
      Object.assign(input.style, {
        left: `${this.x(x) - 14}px`,
        top: `${EDGE.top}px`,
        height: `${HEIGHT - EDGE.top - EDGE.bottom}px`,
      });
    });
    if (focused >= 0) {
      const label = `${xs[focused]} %: ${this.values[focused]} %`;
      const y = this.y(this.values[focused]);
      parts.push(svg("text", { class: "say", x: this.x(xs[focused]), y: y < 40 ? y + 26 : y - 14, "text-anchor": "middle" }, label));
    } else if (!this.drawn) {
      const lines = narrow ? words.hint.split("; ") : [words.hint];
      lines.forEach((line, i) =>
        parts.push(svg("text", { class: "say", x: this.x(50), y: this.y(55) + 22 * i, "text-anchor": "middle" }, line)),
      );
    }
    const key = [[words.yours, "mine", this.x(3), this.y(17)]];
    if (measured) key.push([words.measured, "measured", this.x(3), this.y(7)]);
    for (const [text, kind, x, y] of key) {
      parts.push(svg("line", { class: kind, x1: x, x2: x + 26, y1: y, y2: y }));
      parts.push(svg("text", { class: "key", x: x + 34, y: y + 4 }, text));
    }
    this.picture.replaceChildren(...parts);
  }
}

const canvases = new WeakMap();

export default function (component) {
  const { parentElement } = component;
  if (!canvases.has(parentElement)) canvases.set(parentElement, new Canvas(parentElement));
  const canvas = canvases.get(parentElement);
  if (!canvas.root.isConnected) parentElement.append(canvas.root);
  canvas.update(component);
}
