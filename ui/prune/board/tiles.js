// The tiles that follow every event: parameters, MACs, time. Accuracy stands beside them, drawn by Python.

/** The row of tiles, with a hole at its left for the accuracy. */
function makeTiles(board) {
  const { weights } = board.plan;
  const tile = (title) => {
    const heading = el("h3", {}, title);
    const big = el("b", {});
    const mark = el("span", {});
    const small = el("small", {});
    const root = el("section", { class: "tile" }, heading, el("div", {}, big, mark), small);
    const put = (words, kind, print) => {
      say(big, words);
      if (mark.dataset.kind !== (kind ?? "")) {
        mark.dataset.kind = kind ?? "";
        mark.replaceChildren(...(kind ? [badge(kind)] : []));
      }
      say(small, print);
      root.classList.toggle("dim", !kind);
    };
    return { root, put, heading };
  };
  const size = tile(weights ? "Non-zero parameters" : "Parameters");
  const macs = tile("MACs of one image");
  const time = tile("");
  const help = "Times this cut against dense in turn, batch 1: about two seconds. A run measures it anyway.";
  const ask = () => board.ask("time");
  const measure = el("button", { type: "button", class: "ghost measure", title: help, onclick: ask });
  time.root.append(measure);
  const root = el("div", { class: "tiles" }, el("section", { class: "tile hole" }), size.root, macs.root, time.root);

  const tell = (costs) => {
    const dense = board.data.dense;
    if (weights) {
      size.put(ratio(dense.nonzero, costs.nonzero), "measured", `${amount(costs.nonzero)} of ${amount(dense.nonzero)}`);
      macs.put("unchanged", "measured", "zeros are still multiplied");
    } else {
      size.put(ratio(dense.params, costs.params), "measured", `${amount(costs.params)} of ${amount(dense.params)}`);
      macs.put(ratio(dense.macs, costs.total), "measured", `${amount(costs.total)} of ${amount(dense.macs)}`);
    }
    const { big, kind, small } = timeWords(board, costs);
    time.put(big, kind, small);
    say(time.heading, `Time for 1 image, ${board.data.threads}${board.isUsual() ? "" : `, ${placeWords(board)}`}`);
    time.heading.classList.toggle("long", !board.isUsual());
    measure.hidden = kind === "measured" || costs.removesNothing || !board.isUsual();
    measure.disabled = board.waitsFor("time");
    say(measure, measure.disabled ? "Measuring" : "Measure");
    root.dataset.events = board.events; // how many changes these numbers have followed
  };
  return { root, tell };
}

/** What is known of the time: measured for this very cut, else predicted from measured widths, else nothing. */
function timeWords(board, costs) {
  const { data, plan } = board;
  const measured = data.times.find((time) => time.key === planKey(plan));
  if (measured) return measured;
  if (plan.weights) return { big: "unchanged", kind: "estimated", small: "zeros are still multiplied" };
  const guess = board.predicted();
  if (guess) return guess;
  const what = board.isUsual() ? "measure it, or the widths of all layers" : "measure the widths of all layers";
  return { big: "–", kind: null, small: what };
}

/** Where the layers' times are of. */
function placeWords({ data }) {
  return data.places.find(([name]) => name === data.place)?.[1] ?? "";
}

/** Two plans with equal keys remove the same. */
function planKey(plan) {
  return JSON.stringify(plan.rows.map((row) => plan.value(row.name)));
}
