// Curves over epochs and strengths, drawn by uPlot: mean, interval as a band, the baseline as a dashed line.

const PLOT_HEIGHT = 148;
// two beside each other on A4 and letter
const PAPER_WIDTH = 310;
const plots = [];

const inkOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const metricNumber = (chart) => data.metrics.findIndex((metric) => metric.name === chart.metric);
const showsShare = (chart) => metricNumber(chart) < 0 || data.metrics[metricNumber(chart)].unit === "";
const chartName = (chart) => (metricNumber(chart) < 0 ? say(chart.metric) : metricWord(metricNumber(chart)));

function bareValue(chart, value) {
  if (metricNumber(chart) >= 0) return formatted(metricNumber(chart), value);
  // the same rule as `probability` of evalharness/report/numbers.py
  if (chart.metric === "p_best" && value > 0.99) return "> 99 %";
  if (chart.metric === "p_best" && value < 0.01) return "< 1 %";
  return `${Math.round(value * 100)} %`.replace("-", "−");
}

// an axis needs no more digits than its steps have
const axisValue = (chart, value) => (showsShare(chart) ? `${Math.round(value * 100)} %` : String(Number(value.toPrecision(3)))).replace("-", "−");

function pointText(chart, axis, point) {
  const x = point.name ?? point.x;
  if (point.mean === null) return say("curve_here", { axis: say(axis), x, value: say("none") });
  const bound = (value) => bareValue(chart, value).replace(" %", "");
  const range = point.low === null ? "" : ` [${bound(point.low)}, ${bound(point.high)}]`;
  const scored = point.scored ? ` · ${say("curve_scored", { count: point.scored })}` : "";
  const mark = point.mark ? ` · ${say(point.mark)}` : "";
  return say("curve_here", { axis: say(axis), x, value: bareValue(chart, point.mean) + range }) + mark + scored;
}

// one scale for all small multiples of a metric; shares never go beyond what a share can be
function scaleOf(chart) {
  const points = chart.columns.flatMap((column) => column.points);
  const values = [...points.flatMap((point) => [point.low, point.mean, point.high]), chart.baseline].filter((v) => typeof v === "number");
  const low = Math.min(...values), high = Math.max(...values);
  const room = Math.max((high - low) * 0.1, showsShare(chart) ? 0.04 : high * 0.04, 1e-6);
  // a flat line at 100 % needs no magnifying glass
  const least = showsShare(chart) ? Math.max(0.2 - (high - low), 0) : 0;
  // the marks of a chance near 0 need room above the axis' numbers
  const floor = { objective: -Infinity, p_best: -0.06 }[chart.metric] ?? 0;
  return [Math.max(floor, low - Math.max(room, least)), showsShare(chart) ? Math.min(1.04, high + room) : high + room];
}

function baselineLine(u, value) {
  const y = u.valToPos(value, "y", true);
  u.ctx.save();
  u.ctx.strokeStyle = inkOf("--muted");
  u.ctx.lineWidth = 1.2 * devicePixelRatio;
  u.ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  u.ctx.beginPath();
  u.ctx.moveTo(u.bbox.left, y);
  u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
  u.ctx.stroke();
  u.ctx.restore();
}

// a shape for each mark, so that nothing depends on telling colours apart
function curveMark(ctx, mark, x, y) {
  const size = (mark === "leads" ? 5.5 : mark === "tied" ? 3.6 : 2.6) * devicePixelRatio;
  ctx.beginPath();
  if (mark === "leads") {
    [[0, -size], [size, 0], [0, size], [-size, 0]].forEach(([dx, dy]) => ctx.lineTo(x + dx, y + dy));
    ctx.closePath();
  } else {
    ctx.arc(x, y, size, 0, 2 * Math.PI);
  }
  ctx.fillStyle = mark === "tied" ? inkOf("--card") : inkOf("--good");
  ctx.fill();
  ctx.strokeStyle = inkOf("--good");
  ctx.lineWidth = 1.6 * devicePixelRatio;
  ctx.stroke();
}

function drawOver(u, chart, points) {
  if (typeof chart.baseline === "number") baselineLine(u, chart.baseline);
  u.ctx.save();
  points.filter((point) => point.mean !== null).forEach((point) =>
    curveMark(u.ctx, point.mark, u.valToPos(point.x, "x", true), u.valToPos(point.mean, "y", true)));
  u.ctx.restore();
}

// days, or the time of day where all lie within two
function dates(u, splits) {
  const isDays = u.scales.x.max - u.scales.x.min > 2 * 86_400;
  return splits.map((seconds) => new Date(seconds * 1000).toISOString().slice(...(isDays ? [0, 10] : [11, 16])));
}

function curveAxes(chart, xs) {
  const common = { stroke: () => inkOf("--muted"), font: "11px system-ui, sans-serif", ticks: { show: false } };
  const grid = { stroke: () => inkOf("--line"), width: 1 };
  const [bottom, top] = [chart.metric === "p_best" ? 0 : -Infinity, showsShare(chart) ? 1 : Infinity];
  return [
    { ...common, grid: { show: false }, size: 24, gap: 4, ...(chart.time ? { values: dates, space: 84 } : { splits: () => xs, space: 18, filter: thinnedSplits }) },
    { ...common, grid, size: 46, gap: 4, space: 27, values: (u, splits) => splits.map((v) => (v < bottom || v > top ? "" : axisValue(chart, v))) },
  ];
}

// all numbers where there is room, else every second, fifth ...
function thinnedSplits(u, splits) {
  const room = Math.max(1, Math.floor(u.bbox.width / devicePixelRatio / 19));
  const step = [1, 2, 5, 10, 20, 50, 100].find((one) => splits.length / one <= room) ?? splits.length;
  return splits.map((value, place) => (place % step === 0 ? value : null));
}

function curveOptions(chart, points, width, moved, group) {
  const xs = points.map((point) => point.x);
  const side = (Math.max(...xs) - Math.min(...xs)) * 0.04 || 0.5;
  const none = { stroke: "transparent", width: 0, points: { show: false } };
  return {
    width, height: PLOT_HEIGHT, legend: { show: false }, padding: [8, 10, 0, 0],
    scales: { x: { time: Boolean(chart.time), range: [Math.min(...xs) - side, Math.max(...xs) + side] }, y: { range: scaleOf(chart) } },
    series: [{}, none, none, { stroke: () => inkOf("--good"), width: 1.8, points: { show: false } }],
    bands: [{ series: [2, 1], fill: () => inkOf("--band") }],
    axes: curveAxes(chart, xs),
    cursor: { drag: { x: false, y: false }, y: false, sync: { key: group, setSeries: false }, points: { show: false } },
    hooks: { draw: [(u) => drawOver(u, chart, points)], setCursor: [moved] },
  };
}

function goToRow(point) {
  const rows = [...document.querySelectorAll("#subject-table tbody tr")];
  const row = point.row ? document.getElementById(point.row)
    : rows.find((one) => one.dataset.subject === point.subject && Number(one.dataset.strength) === point.strength);
  row?.scrollIntoView({ block: "center" });
  row?.focus({ preventScroll: true });
}

const firstShown = (points) => {
  const leader = points.findIndex((point) => point.mark === "leads");
  return leader < 0 ? points.length - 1 : leader;
};

// The plot is read like a slider: assistive technology then says the number at every step.
function plotOf(chart, column, axis) {
  const { points } = column;
  const name = [say("curve", { metric: chartName(chart), axis: say(axis).toLowerCase() }), column.heading].filter(Boolean).join(", ");
  const box = element("div", { class: "plot", tabindex: 0, role: "slider", "aria-label": name, "aria-describedby": "curves-note",
    "aria-details": chart.time ? "history-table" : "subject-table", "aria-valuemin": points[0].x, "aria-valuemax": points.at(-1).x });
  const readout = element("p", { class: "readout" });
  let at = firstShown(points), u;
  const show = (place) => {
    at = place;
    readout.textContent = pointText(chart, axis, points[at]);
    box.setAttribute("aria-valuenow", points[at].x);
    box.setAttribute("aria-valuetext", readout.textContent);
  };
  const moved = (plot) => show(plot.cursor.idx ?? firstShown(points));
  // the pointer moves all curves of a group, and so do the keys
  const point = (place) => plots.filter((other) => other.cursor.sync.key === axis).forEach((other) =>
    other.setCursor({ left: other.valToPos(points[place].x, "x"), top: PLOT_HEIGHT / 2 }));
  const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, Home: -points.length, End: points.length };
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") goToRow(points[at]);
    if (!(event.key in steps)) return;
    event.preventDefault();
    point(Math.min(Math.max(at + steps[event.key], 0), points.length - 1));
  });
  box.addEventListener("click", () => goToRow(points[at]));
  show(at);
  const draw = () => {
    const values = ["x", "low", "high", "mean"].map((key) => points.map((one) => one[key]));
    u = new uPlot(curveOptions(chart, points, box.clientWidth, moved, axis), values, box);
    plots.push(u);
    new ResizeObserver(() => u.setSize({ width: box.clientWidth, height: PLOT_HEIGHT })).observe(box);
  };
  const heading = column.heading ? [element("h4", {}, quoted(column.heading))] : [];
  return { node: element("div", { class: "multiple" }, ...heading, box, readout), draw };
}

function figureOf(chart, axis) {
  const metric = data.metrics[metricNumber(chart)];
  const notes = [metric && unitSign(metricNumber(chart)), metric && !metric.higherIsBetter && say("curve_lower"),
    typeof chart.baseline === "number" && say("curve_baseline", { value: bareValue(chart, chart.baseline) })];
  const made = chart.columns.filter((column) => column.points.length > 1).map((column) => plotOf(chart, column, axis));
  const caption = element("figcaption", {}, quoted(chartName(chart)), element("small", {}, notes.filter(Boolean).join(" · ")));
  const node = element("figure", { class: made.length > 1 ? "curve several" : "curve" }, caption,
    element("div", { class: "multiples" }, ...made.map((one) => one.node)));
  return { node, draw: () => made.forEach((one) => one.draw()) };
}

function startCurves() {
  const place = document.getElementById("curves");
  for (const { axis, charts } of data.curves) {
    const figures = charts.map((chart) => figureOf(chart, axis));
    const advice = axis === "strength" ? [document.getElementById("strength-advice")] : [];
    const id = `curves-${axis}`;
    place.append(element("section", { "aria-labelledby": id }, element("h2", { id }, say(`curves_heading_${axis}`)), ...advice,
      element("div", { class: "curves" }, ...figures.map((one) => one.node))));
    // only what is laid out has a width
    figures.forEach((one) => one.draw());
  }
  followSurroundings();
}

// a canvas follows neither the theme nor the paper's width by itself
function followSurroundings() {
  const redrawn = () => plots.forEach((plot) => plot.redraw(false));
  const sized = (width) => plots.forEach((plot) => plot.setSize({ width: width ?? plot.root.parentElement.clientWidth, height: PLOT_HEIGHT }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawn);
  matchMedia("print").addEventListener("change", (event) => sized(event.matches ? PAPER_WIDTH : undefined));
}
