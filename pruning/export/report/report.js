// Brings a report to life: figures that answer to the mouse, and the slider. Without it everything still reads.
(() => {
  "use strict";
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const config = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false };
  const share = document.getElementById("share");
  root.classList.add("js");

  const chosen = () => document.querySelector("input[name=axis]:checked").value;

  const cursor = (layout) => {
    const last = layout.shapes[layout.shapes.length - 1]; // the line that follows the slider
    last.x0 = last.x1 = Number(data.plans[share.value].x);
    return layout;
  };

  const draw = (name, figure) => {
    const place = document.getElementById(name);
    place.closest("figure").classList.add("live"); // first, so that the place has a width
    return Plotly.react(place, figure.data, figure.layout, config);
  };

  const drawAll = () => {
    if (!window.Plotly) return;
    const { tradeoff, uniform } = data.figures[dark.matches ? "dark" : "light"]; // only what was measured is there
    if (tradeoff) draw("tradeoff-plot", tradeoff[chosen()]);
    if (uniform) {
      cursor(uniform.layout);
      draw("uniform-plot", uniform);
    }
  };

  const show = () => {
    const plan = data.plans[share.value];
    for (const place of document.querySelectorAll("[data-field]")) place.textContent = plan[place.dataset.field];
    share.setAttribute("aria-valuetext", plan.said);
    if (window.Plotly) {
      const figure = data.figures[dark.matches ? "dark" : "light"].uniform;
      Plotly.relayout("uniform-plot", { shapes: structuredClone(cursor(figure.layout).shapes) });
    }
  };

  for (const details of document.querySelectorAll("details")) details.open = false;
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
  drawAll();
  dark.addEventListener("change", drawAll);
  share?.addEventListener("input", show);
  for (const axis of document.querySelectorAll("input[name=axis]")) axis.addEventListener("change", drawAll);
})();
