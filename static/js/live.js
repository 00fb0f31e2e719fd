// A form whose answer is shown while one types: <form data-live="id of the place">. Without scripts its button asks for
// the whole page; with them the part `fragment=1` is fetched into the place.
const WAIT = 250;

async function answer(form, place, turn) {
  const fields = new URLSearchParams(new FormData(form));
  fields.set("fragment", "1");
  const found = await fetch(`${location.pathname}?${fields}`, { credentials: "same-origin" });
  if (!found.ok || found.redirected || turn !== form.dataset.turn) return;
  place.innerHTML = await found.text();
}

export function startLive() {
  for (const form of document.querySelectorAll("form[data-live]")) {
    const place = document.getElementById(form.dataset.live);
    let timer = 0;
    const ask = () => {
      form.dataset.turn = String(Number(form.dataset.turn || 0) + 1);
      answer(form, place, form.dataset.turn).catch(() => {});
    };
    form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, WAIT); });
    form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(timer); ask(); });
  }
}
