// Pictures on canvas. Every function draws one from scratch; sizes are CSS pixels, colours come from the theme.

const EDGE = 8; // Half the thumb of the range input that lies over the bars: so pointer and cut meet.

/** The colours of the theme, read anew whenever it changes. */
function readPalette(root) {
  const style = getComputedStyle(root);
  const names = ["kept", "removed", "dense", "ink", "soft", "line", "paper"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** A canvas made ready for a picture of that size. */
function canvasOf(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  const [wide, tall] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== wide || canvas.height !== tall) [canvas.width, canvas.height] = [wide, tall];
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

/** Whether a row's scores reach so far that most bars would be flat, as with squares: then roots are drawn. */
function isSteep(row, plan) {
  if (plan.weights) return false;
  if (row.steep === undefined) {
    const sizes = row.scores.map(Math.abs);
    row.steep = sizes[sizes.length >> 1] < 0.05 * Math.max(...sizes);
  }
  return row.steep;
}

/** A row's scores in the order in which they go, with the cut: what lies left of it goes. */
function drawCut(canvas, width, height, row, plan, colours) {
  const pen = canvasOf(canvas, width, height);
  const room = width - 2 * EDGE;
  const pinned = plan.isPinned(row);
  const value = plan.value(row.name);
  const heights = plan.weights ? row.bins : row.scores;
  const cut = plan.weights ? placeOf(row, value / 1000) : value / row.total;
  const count = Math.min(heights.length, Math.max(1, Math.floor(room / 2)));
  const top = Math.max(...heights.map(Math.abs), 1e-12);
  const power = isSteep(row, plan) ? 0.5 : 1;
  const wide = room / count;
  const bar = wide > 3 ? wide * 0.82 : Math.max(1, wide * 0.7);
  for (let i = 0; i < count; i += 1) {
    const here = (Math.abs(heights[Math.floor(((i + 0.5) * heights.length) / count)]) / top) ** power;
    if (plan.weights && here === 0) continue;
    const tall = 2 + (height - 6) * here;
    // A bar stands for a stretch; it goes when its middle does. For a unit a bar, that is the unit.
    const goes = value > 0 && (i + 0.5) / count < cut;
    pen.globalAlpha = pinned ? 0.4 : goes ? 0.55 : 0.9;
    pen.fillStyle = goes ? colours.removed : colours.kept;
    pen.fillRect(EDGE + i * wide, height - 1 - tall, bar, tall);
  }
  pen.globalAlpha = pinned ? 0.45 : 1;
  pen.fillStyle = colours.ink;
  pen.fillRect(Math.round(EDGE + cut * room - (wide - bar) / 2) - 0.75, 0, 1.5, height);
  pen.globalAlpha = 1;
}

/** The metric against the share removed: small in a row, large with points, limit and axis in the inspector. */
function drawCurve(canvas, width, height, curve, share, colours, large) {
  const pen = canvasOf(canvas, width, height);
  const { points, axis, limit } = curve;
  const [left, right, above, below] = large ? [34, 8, 8, 18] : [4, 6, 5, 5];
  const x = (sparsity) => left + (width - left - right) * sparsity;
  const y = (value) => height - below - ((height - above - below) * (value - axis.low)) / (axis.high - axis.low);
  if (large) {
    pen.font = `11px ${getComputedStyle(canvas).fontFamily}`;
    pen.fillStyle = colours.soft;
    pen.textAlign = "right";
    axis.marks.forEach((words, i) => {
      const at = y(axis.low + (i / (axis.marks.length - 1)) * (axis.high - axis.low));
      pen.fillStyle = colours.line;
      pen.fillRect(left, at, width - left - right, 1);
      pen.fillStyle = colours.soft;
      pen.fillText(words, left - 4, at + 4);
    });
    pen.textAlign = "center";
    for (const tick of [0, 0.25, 0.5, 0.75]) pen.fillText(`${100 * tick} %`, x(tick), height - 4);
    pen.textAlign = "right";
    pen.fillText("removed", width - right, height - 4);
    if (limit) {
      pen.strokeStyle = colours.dense;
      pen.setLineDash([4, 4]);
      line(pen, [[left, y(limit.value)], [width - right, y(limit.value)]], 1);
      pen.setLineDash([]);
    }
  }
  pen.strokeStyle = colours.kept;
  line(pen, points.map(([sparsity, value]) => [x(sparsity), y(value)]), large ? 2 : 1.5);
  if (large) for (const [sparsity, value] of points) dot(pen, x(sparsity), y(value), 2.6, colours.kept);
  if (large && limit) {
    // Over the curve, which may cross the limit here, in a gap of its own.
    pen.lineWidth = 4;
    pen.strokeStyle = colours.paper;
    pen.fillStyle = colours.soft;
    pen.strokeText(limit.words, width - right, y(limit.value) + 13);
    pen.fillText(limit.words, width - right, y(limit.value) + 13);
  }
  dot(pen, x(share), y(valueAt(points, share)), large ? 5.5 : 3.2, colours.removed, colours.paper);
}

/** The metric along straight lines between the points measured. */
function valueAt(points, share) {
  const after = points.findIndex(([sparsity]) => sparsity >= share);
  if (after === -1) return points[points.length - 1][1];
  if (after === 0) return points[0][1];
  const [[from, low], [to, high]] = [points[after - 1], points[after]];
  return low + ((share - from) / (to - from)) * (high - low);
}

/** No curve is known: a faint dash. */
function drawNoCurve(canvas, width, height, colours) {
  const pen = canvasOf(canvas, width, height);
  pen.fillStyle = colours.line;
  pen.fillRect(width / 2 - 10, height / 2, 20, 2);
}

/** Time of a layer against its width, one bar a width measured; `now` is marked. */
function drawWidths(canvas, width, height, widths, times, now, colours) {
  const pen = canvasOf(canvas, width, height);
  const most = widths[widths.length - 1];
  const top = Math.max(...times, 1e-9);
  const scale = width / most;
  widths.forEach((wide, i) => {
    const from = i ? widths[i - 1] : 0;
    const here = now > from && now <= wide;
    const tall = Math.max(2, (height - 3) * (times[i] / top));
    pen.globalAlpha = here ? 1 : wide < now ? 0.55 : 0.3;
    pen.fillStyle = here ? colours.removed : colours.dense;
    pen.fillRect(from * scale, height - tall, Math.max(1, (wide - from) * scale - 1), tall);
  });
  pen.globalAlpha = 1;
}

function line(pen, points, wide) {
  pen.lineWidth = wide;
  pen.lineJoin = "round";
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.stroke();
}

function dot(pen, x, y, radius, colour, ring) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 7);
  pen.fillStyle = colour;
  pen.fill();
  if (!ring) return;
  pen.lineWidth = 1.5;
  pen.strokeStyle = ring;
  pen.stroke();
}
