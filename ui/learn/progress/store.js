// Keeps one text in this browser's localStorage, under one name, and tells Python at first what stands there.

const told = new WeakMap(); // the place of the component → the name whose text it has told of
let written = null; // what this window wrote last: not again, another window may have written since
let writer = null; // under which name

function read(name) {
  try {
    return localStorage.getItem(name); // throws where the browser forbids it
  } catch {
    return null;
  }
}

export default function ({ parentElement, data, setStateValue }) {
  if (data.write !== null && (data.write !== written || data.name !== writer)) {
    written = data.write;
    writer = data.name;
    try {
      if (data.write) localStorage.setItem(data.name, data.write);
      else localStorage.removeItem(data.name);
    } catch {
      // Forbidden or full: progress then lasts as long as this session.
    }
  }
  if (!data.heard && told.get(parentElement) !== data.name) {
    told.set(parentElement, data.name);
    setStateValue("stored", { name: data.name, text: read(data.name) });
  }
}
