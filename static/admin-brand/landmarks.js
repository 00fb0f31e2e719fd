// What the admin theme leaves out for screen readers: the main landmark, and names of parts that scroll.
document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("main")?.setAttribute("role", "main");
  // read by the scroll bars, which are made after this
  document.querySelectorAll("[data-simplebar]").forEach((part, number) => {
    const name = part.id === "nav-sidebar-apps" ? "Models" : `Scrollable part ${number}`;
    part.dataset.simplebarAriaLabel = name;
  });
});
