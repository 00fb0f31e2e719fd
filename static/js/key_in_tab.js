// The reader's key, for this tab and until it is closed: in the try-it form and in the code samples. It is kept in
// sessionStorage, which no other tab, site or server reads.
const KEPT = "gatehouse-key";
const PLACE = "YOUR_KEY";
const SAFE = /^[\w.~-]{8,200}$/; // needs no quoting in any sample

function kept() {
  try { return JSON.parse(sessionStorage.getItem(KEPT)) || {}; } catch { return {}; }
}

export function keep(text, name) {
  if (text) sessionStorage.setItem(KEPT, JSON.stringify({ text, name }));
  else sessionStorage.removeItem(KEPT);
}

// Puts the key of the form into the samples, or the placeholder again.
export function fillKey() {
  const field = document.querySelector("[data-key]");
  const text = field ? field.value.trim() : kept().text || "";
  for (const code of document.querySelectorAll("[data-samples] code")) {
    code.dataset.plain ??= code.textContent;
    code.textContent = SAFE.test(text) ? code.dataset.plain.replaceAll(PLACE, text) : code.dataset.plain;
  }
}

function told(place, name) {
  if (!place) return;
  place.hidden = !name;
  place.querySelector("[data-remembered-name]").textContent = name || "";
}

export function startKeys() {
  const place = document.querySelector("[data-keys]");
  const field = document.querySelector("[data-key]");
  if (place && place.dataset.kept) keep(place.dataset.kept, place.dataset.keptName);
  const remembered = place && place.querySelector("[data-remembered]");
  if (field && !field.value && kept().text) field.value = kept().text;
  if (field && field.value && field.value === kept().text) told(remembered, kept().name || "a key that you pasted");
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-key]")) return;
    keep(event.target.value.trim(), "a key that you pasted");
    told(remembered, "");
    fillKey();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-forget]")) return;
    keep("");
    const now = document.querySelector("[data-key]");
    now.value = "";
    told(remembered, "");
    fillKey();
    now.focus();
  });
}
