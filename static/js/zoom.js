// Zoom: draw with a pointer over a chart whose data has `starts`, and the page opens that span. Without a pointer:
// the fields From and To above the charts, and the times in each chart's table.
import { chartOf } from "./charts.js";

const LEAST = 8; // pixels; less is a click

function startsOf(place) {
  return JSON.parse(document.getElementById(place.dataset.chart).textContent).starts;
}

function open(place, from, to) {
  const chart = chartOf(place.dataset.chart);
  const starts = startsOf(place);
  const step = (x) => Math.min(starts.length - 2, Math.max(0, chart.scales.x.getValueForPixel(x)));
  const address = new URL(location.href);
  address.searchParams.delete("span");
  address.searchParams.set("from", starts[step(Math.min(from, to))]);
  address.searchParams.set("to", starts[step(Math.max(from, to)) + 1]);
  location.assign(address);
}

function begin(place, event) {
  const box = place.getBoundingClientRect();
  const from = event.clientX - box.left;
  const mark = document.createElement("div");
  mark.className = "chart__choice";
  place.append(mark);
  const move = (at) => {
    const to = at.clientX - box.left;
    mark.style.insetInlineStart = `${Math.min(from, to)}px`;
    mark.style.width = `${Math.abs(to - from)}px`;
  };
  const stop = () => {
    mark.remove();
    document.removeEventListener("pointermove", move);
    document.removeEventListener("pointerup", end);
    document.removeEventListener("pointercancel", stop);
  };
  const end = (at) => {
    stop();
    const to = at.clientX - box.left;
    if (Math.abs(to - from) >= LEAST && place.isConnected) open(place, from, to);
  };
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", end);
  document.addEventListener("pointercancel", stop);
}

export function startZoom() {
  document.addEventListener("pointerdown", (event) => {
    const place = event.target.closest?.("[data-chart]");
    // a finger scrolls
    if (!place || event.button !== 0 || event.pointerType === "touch" || !chartOf(place.dataset.chart)) return;
    if (!startsOf(place)) return;
    event.preventDefault();
    begin(place, event);
  });
}
