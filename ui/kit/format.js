// Numbers as people read them: the same words as pruning/base/words.py, to the last digit.

/** A number with so many decimals. Python rounds exact halves to even and JavaScript rounds them up: even it is. */
function fixed(value, digits) {
  const scaled = value * 10 ** digits;
  // A half is exact only where the binary fraction ends in time: 1.125 is one, 2.675 is not.
  const half = Number.isInteger(value * 2 ** (digits + 1)) && !Number.isInteger(scaled) && Number.isInteger(2 * scaled);
  if (!half) return value.toFixed(digits);
  const below = Math.floor(scaled);
  return ((below % 2 === 0 ? below : below + 1) / 10 ** digits).toFixed(digits);
}

/** How many times smaller: '÷ 1.73'. */
function ratio(dense, now) {
  return dense < 99.5 * now ? `÷ ${fixed(dense / now, 2)}` : `÷ ${fixed(dense / now, 0)}`;
}

/** Three digits and a unit: 19666 → '19.7 K'. */
function amount(count) {
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "K"]]) {
    if (count >= 0.9995 * size) {
      const value = count / size;
      return `${fixed(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${unit}`;
    }
  }
  return fixed(count, 0);
}

const COMMAS = new Intl.NumberFormat("en-US");

/** A whole number with commas: 47232 → '47,232'. */
function whole(count) {
  return COMMAS.format(count);
}

/** A time: '0.84 ms'. */
function milliseconds(value) {
  return `${fixed(value, value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;
}

/** A fraction in per cent without needless zeros: 0.3 → '30', 0.4375 → '43.8'. */
function percentage(share) {
  return String(Number((100 * share).toFixed(1)));
}
