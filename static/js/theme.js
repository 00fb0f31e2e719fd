// The theme toggle: light or dark, kept in localStorage; without a choice the system decides.
const KEY = "gatehouse-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export function currentTheme() {
  return document.documentElement.dataset.theme || (system.matches ? "dark" : "light");
}

function announce() {
  const dark = currentTheme() === "dark";
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.setAttribute("aria-pressed", String(dark));
  }
  document.dispatchEvent(new CustomEvent("themechange"));
}

export function startTheme() {
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.addEventListener("click", () => {
      const next = currentTheme() === "dark" ? "light" : "dark";
      document.documentElement.dataset.theme = next;
      try { localStorage.setItem(KEY, next); } catch { /* it lasts for this page */ }
      announce();
    });
  }
  system.addEventListener("change", announce);
  announce();
}
