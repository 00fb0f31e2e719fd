// Charts from JSON in the page: <div class="chart" data-chart="id of the json_script"><canvas></canvas></div>.
// Shape: {type, stacked, unit, labels: [text], datasets: [{label, color: 1-5, data: [number], fill}]}.
// A set may be {type: "line", dashed: true} over bars. `starts` are the steps' beginnings and the last one's end
// (zoom.js). `unit`: "ms" or "size" (bytes).
const drawn = new Map();

// A colour token as the browser resolves it (light-dark() cannot be read as text).
function token(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}

function washed(color) {
  const [red, green, blue] = color.match(/[\d.]+/g);
  return `rgba(${red}, ${green}, ${blue}, 0.14)`;
}

// A value without neighbours makes no line, so it is drawn as a point.
function lonely(values) {
  return values.map((value, at) => (value != null && values[at - 1] == null && values[at + 1] == null ? 3 : 0));
}

const isBar = (data, set) => data.type === "bar" && set.type !== "line";

function datasets(data) {
  return data.datasets.map((set) => {
    const color = token(`--chart-${set.color}`);
    return {
      label: set.label, data: set.data, borderColor: color, borderWidth: isBar(data, set) ? 0 : 1.75,
      ...(set.dashed ? { type: "line", borderDash: [5, 4], stack: set.label, order: -1 } : {}),
      backgroundColor: isBar(data, set) ? color : washed(color), fill: Boolean(set.fill),
      pointRadius: isBar(data, set) ? 0 : lonely(set.data), pointBackgroundColor: color, pointHitRadius: 12, tension: 0, spanGaps: true, maxBarThickness: 28, minBarLength: 0,
    };
  });
}

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];

function asSize(octets) {
  const power = octets > 0 ? Math.min(SIZES.length - 1, Math.floor(Math.log2(octets) / 10)) : 0;
  return `${new Intl.NumberFormat("en", { maximumFractionDigits: 1 }).format(octets / 1024 ** power)} ${SIZES[power]}`;
}

function written(item, unit) {
  if (unit === "size") return asSize(item.parsed.y);
  return `${item.formattedValue}${unit ? ` ${unit}` : ""}`;
}

function shorten(value, unit) {
  if (unit === "size") return asSize(value);
  const text = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(value);
  return unit === "ms" ? `${text} ms` : text;
}

function options(data) {
  const ink = token("--ink-faint");
  const grid = token("--chart-grid");
  return {
    responsive: true, maintainAspectRatio: false, animation: false, interaction: { mode: "index", intersect: false },
    plugins: {
      legend: { display: data.datasets.length > 1, align: "end", labels: { color: ink, boxWidth: 10, boxHeight: 10, padding: 14, font: { size: 12 } } },
      tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${written(item, data.unit)}` } },
    },
    scales: {
      x: { stacked: data.stacked, grid: { display: false }, border: { color: grid }, ticks: { color: ink, maxRotation: 0, autoSkipPadding: 24, font: { size: 11 } } },
      y: { stacked: data.stacked, beginAtZero: true, grid: { color: grid }, border: { display: false }, ticks: { color: ink, maxTicksLimit: 5, precision: data.unit === "ms" ? undefined : 0, font: { size: 11 }, callback: (value) => shorten(value, data.unit) } },
    },
  };
}

export const chartOf = (id) => drawn.get(id);

export function drawCharts(root = document) {
  if (!window.Chart) return;
  window.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  for (const place of root.querySelectorAll("[data-chart]")) {
    if (place.querySelector(".chart__empty")) continue;
    const data = JSON.parse(document.getElementById(place.dataset.chart).textContent);
    drawn.get(place.dataset.chart)?.destroy();
    const config = { type: data.type, data: { labels: data.labels, datasets: datasets(data) }, options: options(data) };
    drawn.set(place.dataset.chart, new window.Chart(place.querySelector("canvas"), config));
  }
}

export function startCharts() {
  drawCharts();
  document.addEventListener("themechange", () => drawCharts());
}
