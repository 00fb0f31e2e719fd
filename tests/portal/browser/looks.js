// What the inspector asks of a page; each returns texts that say what is wrong.
const nameOf = (element) => {
  const classes = [...element.classList].map((each) => `.${each}`).join("");
  return `<${element.localName}${element.id ? `#${element.id}` : ""}${classes}>`;
};
const kindOf = (element) => `${element.localName}.${[...element.classList].join(".")}`;
const parts = () => [...new Set([...document.body.querySelectorAll("*")].filter((each) => each.checkVisibility())
  .map((each) => `${kindOf(each.parentElement)} ${kindOf(each)}`))];
const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

const violations = async (options) => {
  await painted();
  const found = await axe.run(document, options);
  return found.violations.map((each) => {
    const places = each.nodes.slice(0, 3).map((node) => `${node.target.join(" ")} ${node.any[0]?.message ?? node.all[0]?.message ?? ""}`);
    return `${each.id} (${each.nodes.length}): ${places.join("; ")}`;
  });
};

// Parts of the page that it fetches at once (refresh.js).
const later = async () => {
  const waits = () => [...document.querySelectorAll("[data-soon]")].some((each) => !each.dataset.last);
  for (let tries = 0; waits() && tries < 400; tries += 1) await new Promise((done) => setTimeout(done, 50));
};

const shifts = async () => {
  await later();
  await painted();
  const sources = window.moves.flatMap((entry) => entry.sources.map((source) => source.node)).filter((node) => node?.localName);
  const sum = window.moves.reduce((total, entry) => total + entry.value, 0);
  return { sum, what: [...new Set(sources.map(nameOf))].slice(0, 6).join(" ") };
};

// The frame that every page has, and what the keyboard's focus looks like.
const frame = (ours) => {
  const wrong = [];
  const headings = document.querySelectorAll("h1").length;
  if (headings !== 1) wrong.push(`${headings} h1`);
  if (!document.title.trim()) wrong.push("no title");
  if (!document.documentElement.lang) wrong.push("no lang");
  if (!ours) return wrong;
  const dialog = document.querySelector("dialog:modal"); // nothing around it takes the focus
  const stops = [...(dialog ?? document).querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((each) => !each.disabled && each.type !== "hidden" && each.checkVisibility({ visibilityProperty: true }));
  const skip = stops[0];
  if (!dialog && (!skip?.matches(".skip-link") || !document.querySelector(skip.getAttribute("href")))) wrong.push("no skip link first");
  const look = (element) => {
    const style = getComputedStyle(element);
    return [style.outline, style.boxShadow, style.borderColor, style.backgroundColor, style.top].join();
  };
  const seen = new Set();
  for (const stop of stops) {
    const kind = nameOf(stop).replace(/#[^.>]*/, "");
    if (seen.has(kind)) continue;
    seen.add(kind);
    stop.blur();
    const before = look(stop);
    stop.focus({ preventScroll: true });
    if (document.activeElement !== stop) wrong.push(`${nameOf(stop)} takes no focus`);
    else if (look(stop) === before) wrong.push(`${nameOf(stop)} does not show its focus`);
  }
  document.activeElement?.blur();
  return wrong;
};

// What makes the page wider than the screen, and text that its box cuts off.
const tooWide = async () => {
  let wrong = ["not looked"];
  // charts follow the width of the screen a little later
  for (let tries = 0; wrong.length && tries < 20; tries += 1) {
    await painted();
    wrong = wideNow();
  }
  return wrong;
};

const wideNow = () => {
  const width = document.documentElement.clientWidth;
  const scrolls = (element) => element && (/auto|scroll/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
  const cut = [...document.querySelectorAll("main *")].filter((each) => each.clientWidth > 1 && each.scrollWidth > each.clientWidth + 1
    && getComputedStyle(each).whiteSpace === "nowrap" && getComputedStyle(each).display !== "inline" && !scrolls(each));
  if (cut.length) return [`phone: cut off: ${[...new Set(cut.map(nameOf))].slice(0, 5).join(" ")}`];
  if (document.documentElement.scrollWidth <= width) return [];
  const wide = [...document.body.querySelectorAll("*")].filter((each) => each.getBoundingClientRect().right > width + 1);
  return [`phone: wider than the screen: ${[...new Set(wide.map(nameOf))].slice(0, 5).join(" ")}`];
};
