// A billing run's progress keeps itself fresh while it runs: <div data-progress="address of the fragment">.
const place = document.querySelector("[data-progress]");

async function refresh() {
  if (!place.querySelector("[data-running]")) return;
  try {
    if (!document.hidden) {
      const answer = await fetch(place.dataset.progress, { credentials: "same-origin" });
      if (answer.ok && !answer.redirected) place.innerHTML = await answer.text();
    }
  } catch { /* the next turn tries again */ }
  setTimeout(refresh, 1000);
}

if (place) setTimeout(refresh, 1000);
