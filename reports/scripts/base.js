"use strict";
// The run's data, its texts, and the few helpers all parts share. Texts of the run only ever become text nodes.

const data = JSON.parse(document.getElementById("data").textContent);
// the page of several runs has no cells
data.cells = data.columns ? unpackedCells(data) : [];

function say(name, values = {}) {
  const text = Object.hasOwn(data.texts, name) ? data.texts[name] : name;
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

// the page's word for a name; a name without one is shown as it is
const worded = (kind, name, key = `${kind}_${name.replaceAll(" ", "_")}`) => (Object.hasOwn(data.texts, key) ? say(key) : name);
const metricWord = (metric) => worded("metric_name", data.metrics[metric].name);

function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "on") Object.entries(value).forEach(([event, handler]) => node.addEventListener(event, handler));
    else if (name === "style") Object.entries(value).forEach(([key, v]) => node.style.setProperty(key, v));
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// a text of the run, isolated so that its direction marks cannot turn the page around
const quoted = (text) => element("bdi", {}, text);

const axisNumber = (name) => (data.axes ?? []).findIndex((axis) => axis.name === name);
const isBaseline = (cell) => cell.subject === data.baseline;

// { value, reason, marks }, or undefined where the metric was not scored
const scoreOf = (cell, metric) => cell.scoreOf(metric);

// same rules as evalharness/report/numbers.py
function formatted(metric, value) {
  const unit = data.metrics[metric].unit;
  const scaled = unit === "" ? value * 100 : value;
  const digits = unit === "" || Math.abs(scaled) >= 100 ? 0 : Math.abs(scaled) >= 10 ? 1 : 2;
  const text = scaled.toFixed(digits).replace(/^-(0(\.0+)?)$/, "$1").replace("-", "−");
  return unit === "" ? `${text} %` : text;
}

function unitSign(metric) {
  const unit = data.metrics[metric].unit;
  return unit === "deltaE00" ? "ΔE00" : unit;
}

// 0 = the worst end of the metric's scale, 1 = the best
function quality(metric, value) {
  const { high, higherIsBetter } = data.metrics[metric];
  const share = Math.min(Math.max(value / high, 0), 1);
  return higherIsBetter ? share : 1 - share;
}

function frame(metric, value) {
  const good = quality(metric, value);
  const end = good >= 0.5 ? "var(--scale-good)" : "var(--scale-bad)";
  const color = `color-mix(in oklab, ${end} ${Math.round(Math.abs(good - 0.5) * 200)}%, var(--scale-middle))`;
  return { "--frame": color, "--on-frame": "var(--on-scale)" };
}

function nameOf(cell) {
  const strength = isBaseline(cell) ? "" : ` @ ${cell.strength}`;
  const { frame } = data.settings[cell.setting];
  const shown = frame === undefined ? "" : ` · ${say("frame").toLowerCase()} ${frame}`;
  return `${cell.subject}${strength} · ${data.prompts[cell.prompt].id} · ${say("seed").toLowerCase()} ${cell.seed}${shown}`;
}
