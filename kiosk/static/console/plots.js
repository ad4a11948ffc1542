// Draws a plot beside every table that asks for one. The table is the only source of the figures.

/* global Chart */

// Okabe and Ito's colours: people with any kind of colour blindness tell them apart. Dashes and marks differ too, so
// that a plot can be read in grey.
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"];
const MARKS = ["circle", "rect", "triangle", "rectRot", "cross", "star", "crossRot"];
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [12, 4], [4, 4], [1, 2]];
const EARLIER = "#77838b";
const INK = "#14212b";
const GRID = "#e3e8ea";
const SHARP = 2; // pixels of the picture for each of the page, at least: paper shows what a screen hides
const IS_RTL = document.documentElement.dir === "rtl";
const LAST_NAME = 20; // CSS pixels: half of the last hour reaches over the left edge
const NAME_PART = 0.4; // of the plot's width; Chart.js gives an axis half and cuts what is longer at its beginning
const PAPER_WIDTH = 640; // CSS pixels of a plot on A4, whose text is 718 wide

const numberOf = (cell) => (cell.dataset.value === "" ? null : Number(cell.dataset.value));

function readTable(table) {
  const rows = [...table.tBodies[0].rows];
  const drawn = [...table.tHead.rows[0].cells]
    .map((head, place) => ({ head, place }))
    .filter((one) => one.head.dataset.drawn);
  return {
    labels: rows.map((row) => row.cells[0].textContent.trim()),
    series: drawn.map(({ head, place }) => ({
      label: head.textContent.trim(),
      isEarlier: head.dataset.drawn === "earlier",
      values: rows.map((row) => numberOf(row.cells[place])),
      texts: rows.map((row) => row.cells[place].textContent.trim()),
    })),
  };
}

function asBars(one, number) {
  if (one.isEarlier) return { backgroundColor: "#d5dade", borderColor: EARLIER, borderWidth: 1 };
  return { backgroundColor: COLOURS[number % COLOURS.length], borderColor: "#fff", borderWidth: 0 };
}

function asLine(one, number, isStepped) {
  const colour = one.isEarlier ? EARLIER : COLOURS[number % COLOURS.length];
  return {
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: one.isEarlier ? 1.5 : 2.5,
    borderDash: one.isEarlier ? [2, 3] : DASHES[number % DASHES.length],
    pointStyle: MARKS[number % MARKS.length],
    pointRadius: one.values.length > 60 ? 0 : 4,
    stepped: isStepped ? "middle" : false,
    spanGaps: false,
  };
}

function datasets(kind, series) {
  const isLine = kind === "lines" || kind === "steps";
  let number = 0;
  return series.map((one) => {
    const look = isLine ? asLine(one, number, kind === "steps") : asBars(one, number);
    if (!one.isEarlier) number += 1;
    return { label: one.label, data: one.values, texts: one.texts, ...look };
  });
}

// A name beside its bar takes two fifths of the plot at most; the table has it whole. `this`: the axis.
function shortened(value) {
  const name = this.getLabelForValue(value);
  const pen = this.chart.ctx;
  pen.save();
  pen.font = `${Chart.defaults.font.size}px ${Chart.defaults.font.family}`;
  const fits = (text) => pen.measureText(text).width <= this.chart.width * NAME_PART;
  const signs = [...new Intl.Segmenter().segment(name)].map((one) => one.segment);
  let shown = name;
  while (signs.length > 1 && !fits(shown)) {
    signs.pop();
    shown = `${signs.join("").trimEnd()}…`;
  }
  pen.restore();
  return shown;
}

function axes(kind, unit) {
  const isStacked = kind === "stack";
  // Where people read from the right, the first hour and the names stand at the right.
  const across = { reverse: IS_RTL };
  const upright = { position: IS_RTL ? "right" : "left" };
  const name = {
    stacked: isStacked,
    grid: { display: false },
    ticks: { color: INK, maxRotation: 0, autoSkip: kind !== "across", autoSkipPadding: 12 },
  };
  const size = {
    stacked: isStacked,
    beginAtZero: true,
    grace: "8%",
    grid: { color: GRID },
    border: { display: false },
    ticks: { color: INK, precision: 0, maxTicksLimit: 6 },
    title: { display: unit !== "", text: unit, color: INK },
  };
  if (kind === "across") {
    const short = { ...name, ticks: { ...name.ticks, callback: shortened } };
    return { x: { ...size, ...across }, y: { ...short, ...upright } };
  }
  return { x: { ...name, ...across }, y: { ...size, ...upright } };
}

function draw(table) {
  const kind = table.dataset.plot;
  const place = table.closest(".figure").querySelector(".plot");
  const { labels, series } = readTable(table);
  if (!series.some((one) => one.values.some((value) => value !== null))) return;
  place.hidden = false;
  new Chart(place.firstElementChild, {
    type: kind === "lines" || kind === "steps" ? "line" : "bar",
    data: { labels, datasets: datasets(kind, series) },
    options: {
      indexAxis: kind === "across" ? "y" : "x",
      animation: false,
      maintainAspectRatio: false,
      layout: { padding: { left: IS_RTL ? LAST_NAME : 0 } },
      devicePixelRatio: Math.max(SHARP, devicePixelRatio),
      interaction: { mode: "index", axis: kind === "across" ? "y" : "x", intersect: false },
      scales: axes(kind, table.dataset.unit),
      plugins: {
        legend: {
          display: series.length > 1,
          align: "start",
          rtl: IS_RTL,
          textDirection: document.documentElement.dir,
          labels: { color: INK, usePointStyle: kind === "lines" || kind === "steps", boxWidth: 14, boxHeight: 8 },
        },
        tooltip: {
          rtl: IS_RTL,
          textDirection: document.documentElement.dir,
          callbacks: { label: (item) => `${item.dataset.label}: ${item.dataset.texts[item.dataIndex]}` },
        },
      },
    },
  });
}

function resizeAll(width) {
  for (const chart of Object.values(Chart.instances)) {
    if (width) chart.resize(width, chart.canvas.parentElement.clientHeight);
    else chart.resize();
  }
}

if (globalThis.Chart) {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 13;
  for (const table of document.querySelectorAll(".figure table[data-plot]:not([data-plot=''])")) draw(table);
  addEventListener("beforeprint", () => resizeAll(PAPER_WIDTH));
  addEventListener("afterprint", () => resizeAll(0));
}
