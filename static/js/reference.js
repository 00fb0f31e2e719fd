// The API reference: tabs of code samples, the reader's key, the filter of operations, and trying a call.
// Without scripts all samples stand below each other, and a try loads the page anew.
import { fillKey, startKeys } from "./key_in_tab.js";
import { startFilters } from "./filter.js";
import { startSamples } from "./samples.js";

const live = document.getElementById("live-region");

// Each <template data-part> of the answer takes its place.
const places = {
  tried: (part) => {
    const place = document.getElementById("tried");
    place.hidden = false;
    place.replaceChildren(part);
  },
  samples: (part) => document.getElementById("samples")?.replaceWith(part),
  form: (part, form) => {
    if (!form.querySelector(".field")) return; // it asks for nothing
    const kept = [...form.children].filter((each) => each.matches("input[type=hidden], .row"));
    form.replaceChildren(kept[0], part, ...kept.slice(1));
  },
};

async function send(form) {
  const button = form.querySelector(".button--primary");
  const waiting = form.querySelector("[data-waiting]");
  const data = new FormData(form);
  data.set("fragment", "1");
  waiting.hidden = false;
  button.disabled = true;
  live.textContent = "Waiting for the answer.";
  try {
    const answer = await fetch(form.action, { method: "POST", body: data, credentials: "same-origin" });
    if (answer.redirected) { location.reload(); return; }
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of page.querySelectorAll("template")) places[part.dataset.part](part.content, form);
    live.textContent = page.querySelector("[data-status]").textContent;
    startSamples();
    fillKey();
    const wrong = form.querySelector("[aria-invalid=true]");
    if (wrong) wrong.focus();
    else document.getElementById("tried").scrollIntoView({ block: "nearest" });
  } catch {
    form.removeEventListener("submit", caught);
    form.submit(); // the page itself says what is wrong
  } finally {
    waiting.hidden = true;
    button.disabled = false;
  }
}

function caught(event) {
  event.preventDefault();
  send(event.currentTarget);
}

for (const form of document.querySelectorAll("form[data-try]")) {
  form.addEventListener("submit", caught);
  // as in editors: send from within the body
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}
const menu = document.querySelector("[data-menu]");
if (menu) {
  const wide = matchMedia("(min-width: 60rem)");
  const follow = () => { menu.open = wide.matches; };
  follow();
  wide.addEventListener("change", follow);
  const current = menu.querySelector("[aria-current]");
  const list = menu.querySelector(".reference__list");
  if (wide.matches && current) list.scrollTop = current.offsetTop - list.offsetTop - 80;
}
startKeys();
startFilters();
startSamples();
fillKey();
