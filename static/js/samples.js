// Code samples as tabs; the chosen language is remembered for all APIs.
const CHOICE = "gatehouse-language";

function show(tabs, language, focus = false) {
  for (const tab of tabs) {
    const chosen = tab.dataset.language === language;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = !chosen;
    if (chosen && focus) tab.focus();
  }
}

function choose(tabs, language, focus) {
  localStorage.setItem(CHOICE, language);
  show(tabs, language, focus);
}

function tabFor(panel) {
  const tab = document.createElement("button");
  const language = panel.dataset.language;
  Object.assign(tab, { type: "button", role: "tab", id: `tab-${language}`, textContent: panel.dataset.label });
  tab.dataset.language = language;
  panel.id = `panel-${language}`;
  panel.setAttribute("role", "tabpanel");
  panel.setAttribute("aria-labelledby", tab.id);
  panel.querySelector("h3").remove();
  tab.setAttribute("aria-controls", panel.id);
  return tab;
}

function make(place) {
  const panels = [...place.querySelectorAll("[data-language]")];
  if (!panels.length || place.querySelector("[role=tablist]")) return;
  const tabs = panels.map(tabFor);
  const list = document.createElement("div");
  list.className = "samples__tabs";
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", "Language");
  list.append(...tabs);
  place.prepend(list);
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) choose(tabs, tab.dataset.language, true);
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = tabs.indexOf(document.activeElement);
    const next = event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : at + (step || 0);
    if (!step && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    choose(tabs, tabs[(next + tabs.length) % tabs.length].dataset.language, true);
  });
  const wanted = localStorage.getItem(CHOICE);
  show(tabs, panels.some((each) => each.dataset.language === wanted) ? wanted : panels[0].dataset.language);
}

export function startSamples() {
  for (const place of document.querySelectorAll("[data-samples]")) make(place);
}
