// "Line 12" beside a document leads to that line in its text field; leaving a page with unsent changes asks first.
function goTo(field, number) {
  const lines = field.value.split("\n");
  const start = lines.slice(0, number - 1).reduce((sum, line) => sum + line.length + 1, 0);
  field.focus();
  field.setSelectionRange(start, start + (lines[number - 1] ?? "").length);
  const height = field.scrollHeight / Math.max(lines.length, 1);
  field.scrollTop = Math.max(0, (number - 4) * height);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-line]");
  const field = document.querySelector("textarea.source");
  if (!link || !field) return;
  event.preventDefault();
  goTo(field, Number(link.dataset.line));
});

let changed = false;
document.addEventListener("input", (event) => { changed ||= event.target.closest("form[method=post]") !== null; });
document.addEventListener("submit", () => { changed = false; });
addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
