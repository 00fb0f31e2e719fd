// Narrows a list as one types: <input data-filter="id of the list">, whose items have data-search, in groups.
function filter(input) {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const list = document.getElementById(input.dataset.filter);
  let count = 0;
  for (const group of list.querySelectorAll("[data-group]")) {
    let found = 0;
    for (const item of group.querySelectorAll("[data-search]")) {
      const text = item.dataset.search.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
      if (!item.hidden) found += 1;
    }
    group.hidden = !found;
    count += found;
  }
  document.getElementById("live-region").textContent = `${count} found`;
}

export function startFilters() {
  for (const input of document.querySelectorAll("[data-filter]")) {
    input.hidden = false;
    input.addEventListener("input", () => filter(input));
  }
}
