// Evidence drawn over an image: boxes and lines in the image's own pixels, labels at the size people read.

const SVG = "http://www.w3.org/2000/svg";
// Okabe and Ito's palette, which colour-blind eyes can tell apart
const MARK_COLORS = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#0072b2", "#bbbbbb"];
const markColor = (metric) => MARK_COLORS[metric % MARK_COLORS.length];

function shape(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  return node;
}

function bounds(points) {
  const xs = points.map((point) => point[0]), ys = points.map((point) => point[1]);
  const x = Math.min(...xs), y = Math.min(...ys);
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

function outline(kind, points) {
  if (kind === "line") return ["polyline", { points: points.map((point) => point.join(",")).join(" ") }];
  return ["rect", { ...bounds(points), rx: 1 }];
}

// a dark line under the coloured one, so that marks show on light and dark pictures
function strokes(kind, points, color) {
  const [tag, attributes] = outline(kind, points);
  const common = { ...attributes, fill: "none", "vector-effect": "non-scaling-stroke", "stroke-linejoin": "round" };
  // an outline that ends where it began is a mask's
  const closed = kind === "line" && points.length > 3 && String(points[0]) === String(points.at(-1));
  return [
    ...(closed ? [shape("polygon", { points: attributes.points, fill: color, "fill-opacity": .22 })] : []),
    shape(tag, { ...common, stroke: "rgb(0 0 0 / 60%)", "stroke-width": 4 }),
    shape(tag, { ...common, stroke: color, "stroke-width": 2 }),
  ];
}

const pen = document.createElement("canvas").getContext("2d");

function widthOf(text) {
  pen.font = `600 11px ${getComputedStyle(document.body).fontFamily}`;
  return Math.ceil(pen.measureText(text).width) + 9;
}

// labels step down until they cover no other label
function label(text, points, color, view) {
  const { x, y } = bounds(points);
  const width = Math.min(widthOf(text), view.width), height = 16;
  const at = { x: Math.max(0, Math.min(x * view.scale, view.width - width)), y: Math.max(0, y * view.scale - height - 2) };
  const covers = (other) => at.x < other.x + other.width && other.x < at.x + width && Math.abs(at.y - other.y) < height;
  for (let tries = 0; tries < 40 && view.labels.some(covers); tries += 1) at.y += 3;
  view.labels.push({ ...at, width });
  const group = shape("g", { transform: `scale(${1 / view.scale})` });
  const words = shape("text", { x: at.x + 4, y: at.y + 12, "font-size": 11, "font-weight": 600, fill: "#14171b" });
  words.textContent = text;
  group.append(shape("rect", { ...at, width, height, rx: 3, fill: color }), words);
  return group;
}

const isHex = (color) => /^#[0-9a-f]{3,8}$/i.test(color ?? "");

function dot([x, y], color, view) {
  return shape("circle", { cx: x, cy: y, r: 8 / view.scale, fill: color, stroke: "#fff", "stroke-width": 2 / view.scale });
}

const shorten = (text) => (text.length > 48 ? `${text.slice(0, 47)}…` : text);

// what a mark shows, without what was read there: 'left eye: sad' and 'left eye: happy' are one layer
const layerOf = ([kind, text]) => (kind === "swatch" ? say("colors") : text.replace(/:.*$|\s[\d.]+$/su, "") || say("others"));

// 'left eye: sad' and 'face 0.98' in the page's words: what is shown there, and what was read of it
function markWords(text) {
  const [, thing, joint, rest] = text.match(/^(.*?)(?:(: |\s(?=[\d.]+$))(.*))?$/su);
  return worded("mark", thing) + (rest === undefined ? "" : joint + worded("read", rest));
}

const hiddenMetrics = new Set(), hiddenLayers = new Set();
let evidenceShown = true;

const layersOf = (cell) => [...new Set(cell.scores.flatMap((score) => score[3].map(layerOf)))];

// the marks to draw as [metric, mark]; several scorers that saw the same box draw it once
function visibleMarks(cell) {
  if (!evidenceShown || blind()) return [];
  const found = new Map();
  for (const [metric, , , marks] of cell.scores) {
    if (hiddenMetrics.has(metric)) continue;
    for (const mark of marks) {
      const place = JSON.stringify(mark);
      if (!hiddenLayers.has(layerOf(mark)) && !found.has(place)) found.set(place, [metric, mark]);
    }
  }
  return [...found.values()];
}

// on a small image labels would hide what they name: first those go that say no more than the switch below
const isRead = (text, mark, width) => text !== "" && width >= (text === layerOf(mark) ? 420 : 300);

function drawMarks(svg, image, cell, withLabels) {
  const { naturalWidth, naturalHeight, clientWidth } = image;
  if (!naturalWidth || !clientWidth) return;
  svg.setAttribute("viewBox", `0 0 ${naturalWidth} ${naturalHeight}`);
  const view = { scale: clientWidth / naturalWidth, width: clientWidth, labels: [] };
  const shapes = [], labels = [];
  for (const [metric, [kind, text, points, color]] of visibleMarks(cell)) {
    if (!points.length || (kind === "swatch" && !isHex(color))) continue;
    if (kind === "swatch") shapes.push(dot(points[0], color, view));
    else shapes.push(...strokes(kind, points, isHex(color) ? color : markColor(metric)));
    if (withLabels && isRead(text, [kind, text], clientWidth)) labels.push(label(shorten(markWords(text)), points, markColor(metric), view));
  }
  svg.replaceChildren(...shapes, ...labels);
}

// the image's colours touch the reference's, so that a difference shows; one group for each scorer that names any
function swatches(cell) {
  const groups = new Map();
  for (const [metric, [kind, text, , color]] of visibleMarks(cell)) {
    if (kind === "swatch" && isHex(color)) groups.set(metric, [...(groups.get(metric) ?? []), [text, color]]);
  }
  return [...groups].map(([metric, colors]) => element("figure", {},
    element("div", { class: "patches", "aria-hidden": "true" }, ...colors.map(([, color]) => element("i", { style: { background: color } }))),
    element("figcaption", {}, element("b", {}, quoted(metricWord(metric))),
      ...colors.map(([text, color]) => element("span", {}, quoted(`${markWords(text)} ${color}`))))));
}
