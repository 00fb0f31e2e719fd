// A button that checks every box of the table before it: <table data-choose> … <button data-choose-all hidden>.
export function startChoose() {
  for (const button of document.querySelectorAll("[data-choose-all]")) {
    const boxes = button.form.querySelectorAll("[data-choose] input[type=checkbox]");
    button.hidden = boxes.length < 2;
    button.addEventListener("click", () => {
      for (const box of boxes) box.checked = true;
      document.getElementById("live-region").textContent = `${boxes.length} chosen`;
    });
  }
}
