// Runs before the page: notes what moves without anybody's doing.
window.moves = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.moves.push(entry);
}).observe({ type: "layout-shift", buffered: true });
