// Keeps one text in this browser's localStorage, under one name, and tells Python at first what stands there.

const told = new WeakSet();
let written = null; // what this window wrote last: not again, another window may have written since

function read(name) {
  try {
    return localStorage.getItem(name); // throws where the browser forbids it
  } catch {
    return null;
  }
}

export default function ({ parentElement, data, setStateValue }) {
  if (data.write !== null && data.write !== written) {
    written = data.write;
    try {
      if (data.write) localStorage.setItem(data.name, data.write);
      else localStorage.removeItem(data.name);
    } catch {
      // Forbidden or full: progress then lasts as long as this session.
    }
  }
  if (!data.heard && !told.has(parentElement)) {
    told.add(parentElement);
    setStateValue("stored", { text: read(data.name) });
  }
}
