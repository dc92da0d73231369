// A track to predict on: no thumb until the learner presses it or a key, so that nothing suggests an answer.
//
// What is placed can be moved until the button is pressed; then Python hears of it, and the measured value joins it.

const KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", "Enter", " "]);

class Track {
  constructor(parent) {
    this.root = el("div", { class: "prediction", tabindex: "-1" });
    parent.append(this.root);
  }

  update({ data, setStateValue }) {
    const fresh = this.data?.token !== data.token;
    this.data = data;
    this.tell = () => setStateValue("placed", { token: data.token, value: Number(this.input.value) });
    if (fresh) this.begin();
    if (data.value !== null) {
      this.input.value = data.value;
      this.input.disabled = this.placed = this.told = true;
    }
    this.draw();
  }

  begin() {
    const { low, high, step, name, words } = this.data;
    this.placed = this.told = false;
    const place = () => {
      this.placed = true;
      this.draw();
    };
    this.input = el("input", {
      type: "range", min: low, max: high, step, value: low + step * Math.round((high - low) / 2 / step), "aria-label": name,
      oninput: place, onclick: place,
      onkeydown: (event) => KEYS.has(event.key) && place(),
    });
    this.yours = el("span", { class: "label yours", "aria-hidden": "true" });
    this.empty = el("span", { class: "label empty", "aria-hidden": "true" }, words.predict_empty);
    this.needle = el("span", { class: "needle" });
    this.found = el("span", { class: "label measured", role: "status" });
    this.button = el("button", { type: "button", class: "place", onclick: () => this.commit() }, words.predict_button);
    const ends = [[low, 0], [high, 1]].map(([value, at]) =>
      el("span", { class: "label end", style: `--at: ${at}`, "aria-hidden": "true" }, this.said(value)),
    );
    const rail = el("div", { class: "rail" }, this.input, this.yours, this.empty, ...ends, this.needle, this.found);
    this.root.replaceChildren(rail, this.button);
  }

  commit() {
    this.told = this.input.disabled = true;
    this.draw();
    this.root.focus(); // The button that had it is gone.
    this.tell();
  }

  said(value) {
    const digits = Number.isInteger(this.data.step) ? 0 : String(this.data.step).split(".")[1].length;
    return `${fixed(value, digits)} ${this.data.unit}`.trim().replace("-", "−");
  }

  at(value) {
    const { low, high } = this.data;
    return Math.min(1, Math.max(0, (value - low) / (high - low)));
  }

  draw() {
    const { measured, words } = this.data;
    const value = Number(this.input.value);
    this.root.classList.toggle("fresh", !this.placed);
    this.root.classList.toggle("placed", this.told);
    this.root.classList.toggle("known", measured !== null);
    this.input.setAttribute("aria-valuetext", this.placed ? this.said(value) : words.predict_empty);
    this.empty.hidden = this.placed;
    this.yours.hidden = !this.placed;
    this.yours.style.setProperty("--at", this.at(value));
    say(this.yours, `${words.predict_yours} ${this.said(value)}`);
    this.button.disabled = !this.placed;
    this.button.hidden = this.told;
    this.needle.hidden = measured === null;
    this.found.classList.toggle("waits", this.told && measured === null);
    say(this.found, measured ? `${words.predict_measured} ${measured.words}` : this.told ? words.predict_waits : "");
    if (measured) {
      for (const part of [this.needle, this.found]) part.style.setProperty("--at", this.at(measured.at));
    }
  }

  end() {
    this.root.remove();
  }
}

export default living(Track);
