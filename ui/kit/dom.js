// Elements. Text goes in as text only: names of layers come from files that people upload.

function furnish(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** An element with attributes, listeners (`onclick`, ...) and children; strings become text. */
function el(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** The same for a part of a drawing. */
function svg(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** Put words into an element, if they are not there yet: the browser lays out only what has changed. */
function say(element, words) {
  if (element.said === words) return;
  element.said = words;
  element.textContent = words;
}

/** Whether the visitor's system asks for less motion. */
function isCalm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** A component that is an object: made once for a place on the page, told of every run, ended with its place. */
function living(Kind) {
  const known = new WeakMap();
  return (component) => {
    const { parentElement } = component;
    if (!known.has(parentElement)) known.set(parentElement, new Kind(parentElement));
    const here = known.get(parentElement);
    here.update(component);
    return () => {
      here.end();
      known.delete(parentElement);
    };
  };
}
