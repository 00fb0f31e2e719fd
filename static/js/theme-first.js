// Runs before the first paint (a classic script in the head), so that a kept theme never flashes.
(() => {
  try {
    const kept = localStorage.getItem("gatehouse-theme");
    if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
  } catch { /* storage is closed: the system's theme applies */ }
})();
