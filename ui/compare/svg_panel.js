// A drawing as Python made it, with its own style.

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".cmp-root");
  if (root.dataset.shown === data.key) return; // drawn already: what moves in it does not begin anew
  root.dataset.shown = data.key;
  root.innerHTML = data.html;
}
