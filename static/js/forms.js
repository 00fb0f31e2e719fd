// Buttons that cannot be pressed twice, and the one that prints.
export function startForms() {
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    const button = event.submitter;
    // after this turn, so that the button's own name and value are still sent
    if (button) setTimeout(() => { button.disabled = true; }, 0);
  });
  // the back button brings the page back as it was left: free the buttons again
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("form button[disabled]")) button.disabled = false;
  });
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }
}
