// A part of the page that keeps itself fresh: <div data-refresh="address of the fragment" data-every="5">.
// With data-soon it is fetched at once, too.
// An element with data-refresh-end in the fragment ends it; one with data-refresh-again="2" has it asked for again in 2 s.
// Only while the page is visible, one request at a time; what is open stays open, focus and scroll stay.
// A <button data-pause hidden> stops it until pressed again; a span that is being chosen on a chart stays.
import { drawCharts } from "./charts.js";

function keepState(from, to) {
  for (const details of from.querySelectorAll("details[id][open]")) {
    const twin = to.querySelector(`#${CSS.escape(details.id)}`);
    if (twin) twin.open = true;
  }
}

async function refresh(place) {
  const answer = await fetch(place.dataset.refresh, { headers: { "X-Fragment": "1" }, credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return;
  const text = await answer.text();
  if (text === place.dataset.last || place.contains(document.activeElement) || place.querySelector(".chart__choice")) return;
  place.dataset.last = text;
  const fresh = document.createElement("template");
  fresh.innerHTML = text;
  if (fresh.innerHTML.trim() === place.innerHTML.trim()) return;
  keepState(place, fresh.content);
  const height = place.offsetHeight;
  place.style.minHeight = `${height}px`;
  place.replaceChildren(fresh.content);
  drawCharts(place);
  place.style.minHeight = "";
}

function paused() {
  return document.querySelector("[data-pause][aria-pressed=true]") !== null;
}

function startPause() {
  for (const button of document.querySelectorAll("[data-pause]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    });
  }
}

export function startRefresh() {
  startPause();
  for (const place of document.querySelectorAll("[data-refresh]")) {
    let busy = false;
    const turn = async () => {
      if (busy || document.hidden || paused() || document.querySelector("dialog[open]")) return;
      busy = true;
      try { await refresh(place); } catch { /* the next turn tries again */ } finally { busy = false; }
      const again = place.querySelector("[data-refresh-again]");
      if (again) setTimeout(turn, Number(again.dataset.refreshAgain) * 1000);
      if (place.querySelector("[data-refresh-end]")) {
        clearInterval(timer);
        document.removeEventListener("visibilitychange", turn);
      }
    };
    const timer = setInterval(turn, Number(place.dataset.every) * 1000);
    if ("soon" in place.dataset) turn();
    document.addEventListener("visibilitychange", turn);
  }
}
