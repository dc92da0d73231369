// Slides over the whole window, in a modal <dialog>: what lies below can be neither seen nor reached by keyboard.
const NEXT = ["ArrowRight", "ArrowDown", "PageDown", " "];
const BACK = ["ArrowLeft", "ArrowUp", "PageUp"];

class Show {
  constructor(root) {
    this.dialog = root.querySelector("dialog");
    this.stage = root.querySelector(".stage");
    this.place = root.querySelector(".place");
    this.next = root.querySelector(".next");
    this.at = 0;
    this.next.onclick = () => this.go(this.at + 1 < this.slides.length ? this.at + 1 : 0);
    root.querySelector(".leave").onclick = () => this.leave();
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault(); // Esc: Python ends it, so that the address follows
      this.leave();
    });
    this.dialog.addEventListener("keydown", (event) => this.key(event));
  }

  update({ data, setTriggerValue }) {
    this.leave = () => setTriggerValue("leave", true);
    if (this.key_ !== data.key) {
      this.key_ = data.key;
      this.stage.innerHTML = data.html;
      this.slides = [...this.stage.children];
      this.go(Math.min(this.at, this.slides.length - 1));
    }
    if (!this.dialog.open) this.dialog.showModal();
    this.next.focus();
  }

  key(event) {
    const onButton = event.key === " " && event.target.closest("button");
    if (onButton) return; // the button's own
    const step = NEXT.includes(event.key) ? 1 : BACK.includes(event.key) ? -1 : 0;
    const to = event.key === "Home" ? 0 : event.key === "End" ? this.slides.length - 1 : this.at + step;
    if (to === this.at || to < 0 || to >= this.slides.length) return;
    event.preventDefault();
    this.go(to);
  }

  go(to) {
    this.at = to;
    this.slides.forEach((slide, number) => (slide.hidden = number !== to));
    this.place.textContent = `${to + 1} of ${this.slides.length}`;
    this.next.textContent = to + 1 < this.slides.length ? "Next" : "Again";
    cancelAnimationFrame(this.frame);
    const race = this.slides[to].querySelector(".race");
    if (race) this.race(race);
  }

  /** Both lanes at the rates that were measured, until the faster one has done all images. */
  race(element) {
    const lanes = [...element.querySelectorAll(".lane")].map((lane) => ({
      rate: Number(lane.dataset.rate), bar: lane.querySelector(".bar i"), count: lane.querySelector(".count"),
    }));
    const images = Number(element.dataset.images);
    const end = images / Math.max(...lanes.map((lane) => lane.rate));
    const draw = (seconds) => lanes.forEach(({ rate, bar, count }) => {
      const done = Math.min(images, rate * seconds);
      bar.style.width = `${(100 * done) / images}%`;
      count.textContent = whole(Math.round(done));
    });
    if (isCalm()) return draw(end);
    const started = performance.now();
    const step = (now) => {
      const seconds = Math.min(end, Math.max(0, (now - started) / 1000));
      draw(seconds);
      if (seconds < end) this.frame = requestAnimationFrame(step);
    };
    draw(0);
    this.frame = requestAnimationFrame(step);
  }

  end() {
    cancelAnimationFrame(this.frame);
    if (this.dialog.open) this.dialog.close();
  }
}

export default living(Show);
