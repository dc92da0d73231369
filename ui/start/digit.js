// A sheet to draw a digit on, with mouse, pen or finger, and images to try instead, for the keyboard as well. Strokes
// go to Python as shares of the sheet, a few times a second while a hand draws, and at once when it lets go.

const SHEET = 280; // its own pixels each way, as in pruning/data/handwriting.py
const PEN = 22;
const WAIT = 250; // milliseconds between two looks at a drawing that is under way
const MOST = 4000; // points of a drawing

class DrawnDigit {
  constructor(parent) {
    this.strokes = [];
    this.sample = null;
    this.pen = null;
    this.timer = 0;
    this.sheet = el("canvas", {
      width: SHEET, height: SHEET, class: "sheet", role: "img",
      onpointerdown: (event) => this.begin(event),
      onpointermove: (event) => this.go(event),
      onpointerup: () => this.lift(),
      onpointercancel: () => this.lift(),
    });
    this.hint = el("span", { class: "hint", "aria-hidden": "true" }, "Draw here");
    this.clear = el("button", { type: "button", class: "clear", onclick: () => this.empty() }, "Clear");
    this.samples = el("div", { class: "samples", role: "group", "aria-label": "Try one of ours" });
    this.root = el("div", { class: "digit" },
      el("div", { class: "paper" }, this.sheet, this.hint, this.clear),
      el("div", { class: "others" }, el("span", { class: "title" }, "Or try one of ours"), this.samples));
    parent.append(this.root);
  }

  update({ data, setStateValue }) {
    this.send = (drawn) => setStateValue("drawn", drawn);
    const shown = JSON.stringify(data.samples);
    if (shown !== this.shown) {
      this.shown = shown;
      this.samples.replaceChildren(...data.samples.map((source, number) =>
        el("button", { type: "button", class: "sample", "aria-label": `Our image ${number + 1} of ${data.samples.length}`,
          onclick: () => this.choose(number) }, el("img", { src: source, alt: "" }))));
    }
    this.draw();
  }

  end() {
    clearTimeout(this.timer);
  }

  at(event) {
    const box = this.sheet.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]
      .map((share) => Number(Math.min(1, Math.max(0, share)).toFixed(3)));
  }

  begin(event) {
    if (event.button !== 0 || this.pen !== null) return; // one finger draws
    event.preventDefault();
    if (this.sample !== null) this.forget();
    this.pen = event.pointerId;
    this.sheet.setPointerCapture(event.pointerId);
    this.strokes.push([this.at(event)]);
    this.draw();
    this.later();
  }

  go(event) {
    if (event.pointerId !== this.pen) return;
    const stroke = this.strokes[this.strokes.length - 1];
    const parts = event.getCoalescedEvents?.() ?? [];
    for (const part of parts.length ? parts : [event]) {
      const point = this.at(part), last = stroke[stroke.length - 1];
      if (Math.hypot(point[0] - last[0], point[1] - last[1]) < 0.008) continue;
      if (this.strokes.reduce((sum, one) => sum + one.length, 0) < MOST) stroke.push(point);
    }
    this.draw();
    this.later();
  }

  lift() {
    if (this.pen === null) return;
    this.pen = null;
    this.now();
  }

  choose(number) {
    this.strokes = [];
    this.sample = number;
    this.draw();
    this.now();
  }

  empty() {
    this.forget();
    this.draw();
    this.now();
  }

  forget() {
    this.strokes = [];
    this.sample = null;
  }

  later() {
    if (this.timer) return;
    this.timer = setTimeout(() => this.now(), WAIT);
  }

  now() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.send({ strokes: this.strokes.map((stroke) => [...stroke]), sample: this.sample });
  }

  draw() {
    const ink = this.sheet.getContext("2d");
    const colour = getComputedStyle(this.sheet).color;
    ink.clearRect(0, 0, SHEET, SHEET);
    ink.imageSmoothingEnabled = false;
    const chosen = this.sample === null ? null : this.samples.children[this.sample];
    [...this.samples.children].forEach((other) => other.setAttribute("aria-pressed", String(other === chosen)));
    if (chosen) {
      const picture = chosen.querySelector("img");
      if (picture.complete) ink.drawImage(picture, 0, 0, SHEET, SHEET);
      else picture.addEventListener("load", () => this.draw(), { once: true });
    }
    Object.assign(ink, { strokeStyle: colour, fillStyle: colour, lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    for (const stroke of this.strokes) {
      ink.beginPath();
      stroke.forEach(([across, down], place) => ink[place ? "lineTo" : "moveTo"](across * SHEET, down * SHEET));
      if (stroke.length === 1) ink.lineTo(stroke[0][0] * SHEET + 0.01, stroke[0][1] * SHEET);
      ink.stroke();
    }
    const blank = this.strokes.length === 0 && this.sample === null;
    this.hint.hidden = !blank;
    this.clear.disabled = blank;
    this.sheet.setAttribute("aria-label", blank ? "Sheet to draw a digit on, empty"
      : this.sample === null ? "Sheet to draw a digit on, with your drawing" : `Sheet with our image ${this.sample + 1}`);
  }
}

export default living(DrawnDigit);
