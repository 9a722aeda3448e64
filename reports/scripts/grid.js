// The image grid: rows and columns by the chosen axes; several images of one place are stacked side by side.

const grid = document.getElementById("grid");
// from here on, rows out of sight are not laid out
const MANY = 400;
let layout = { rows: [], places: new Map(), slots: 1 };

function arrange(cells) {
  const present = (axis) => [...new Set(cells.map((cell) => cell.at[axis]))].sort((a, b) => a - b);
  const rowValues = present(chosen.rows), columnValues = present(chosen.columns);
  const stacks = new Map();
  for (const cell of cells) {
    const place = `${cell.at[chosen.rows]},${cell.at[chosen.columns]}`;
    stacks.set(place, [...(stacks.get(place) ?? []), cell]);
  }
  const slots = Math.max(1, ...[...stacks.values()].map((stack) => stack.length));
  const rows = rowValues.map((row) => columnValues.map((column) => stacks.get(`${row},${column}`) ?? []));
  return { rowValues, columnValues, rows, slots, places: placesOf(rows, slots) };
}

// where each image is, for the arrow keys: row, and slot counted over all columns
function placesOf(rows, slots) {
  const places = new Map();
  rows.forEach((row, r) => row.forEach((stack, c) => stack.forEach((cell, s) => places.set(cell, [r, c * slots + s]))));
  return places;
}

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

// the next image in a direction, over gaps; undefined at the edge
function neighbour(cell, key) {
  const [down, right] = STEPS[key];
  let [row, slot] = layout.places.get(cell);
  const width = layout.columnValues.length * layout.slots;
  for (;;) {
    row += down;
    slot += right;
    if (row < 0 || row >= layout.rows.length || slot < 0 || slot >= width) return undefined;
    const found = layout.rows[row][Math.floor(slot / layout.slots)][slot % layout.slots];
    if (found) return found;
  }
}

function head(axis, value, role) {
  const { name, values } = data.axes[axis];
  const node = element("div", { class: `head ${role === "rowheader" ? "row" : ""}`, role }, quoted(values[value]));
  if (name === "prompt") node.append(promptLine(values[value]));
  if (values[value] === data.leader) node.append(element("small", {}, say("leads")));
  if (values[value] === data.baseline) node.append(element("small", {}, say("baseline_note")));
  return node;
}

function promptLine(id) {
  const prompt = data.prompts.find((candidate) => candidate.id === id);
  return element("small", { title: prompt.text.slice(0, 600) }, quoted(prompt.text.slice(0, 200)));
}

function valueLine(cell) {
  const score = data.metrics.length ? scoreOf(cell, chosen.metric) : undefined;
  if (cell.failure !== undefined) return { text: say("failed"), class: "failed" };
  if (cell.image === undefined) return { text: say("no_image"), class: "" };
  if (!score || score.value === null) return { text: say("unscored"), class: "unscored" };
  return { text: formatted(chosen.metric, score.value), class: "scored", style: frame(chosen.metric, score.value) };
}

function picture(cell, alt) {
  if (cell.image === undefined) {
    return element("span", { class: "blank" }, element("span", {}, (cell.failure ?? say("no_image")).slice(0, 200)));
  }
  const size = SIZES[chosen.size];
  return element("img", { src: cell.image, alt, loading: "lazy", decoding: "async", width: size, height: size });
}

function tile(cell) {
  const line = valueLine(cell);
  const metric = data.metrics[chosen.metric]?.name ?? "";
  return element(
    "button",
    { type: "button", class: `tile ${line.class}`, "data-cell": cell.number, tabindex: -1, style: line.style ?? {} },
    picture(cell, `${nameOf(cell)} · ${metric} ${line.text}`),
    element("span", { class: "value" }, line.text),
  );
}

function imageRow(row, value, acrossStack) {
  const size = SIZES[chosen.size];
  const deepest = Math.max(1, ...row.map((stack) => Math.ceil(stack.length / acrossStack)));
  return element(
    "div",
    { class: "line images", role: "row", style: { "--row-height": `${deepest * (size + 26) + 6}px` } },
    head(chosen.rows, value, "rowheader"),
    ...row.map((stack) => element("div", { class: "stack", role: "cell" }, ...stack.map(tile))),
  );
}

function drawGrid() {
  const cells = shownCells();
  layout = arrange(cells);
  const size = SIZES[chosen.size];
  const across = Math.min(4, Math.ceil(Math.sqrt(layout.slots)));
  const styles = { "--tile": `${size}px`, "--columns": layout.columnValues.length, "--cell": `${across * (size + 6) + 6}px` };
  Object.entries(styles).forEach(([name, value]) => grid.style.setProperty(name, value));
  const corner = `${say(data.axes[chosen.rows].name)} ↓  ${say(data.axes[chosen.columns].name)} →`;
  const heads = element("div", { class: "line heads", role: "row" },
    element("div", { class: "head corner", role: "columnheader" }, corner),
    ...layout.columnValues.map((value) => head(chosen.columns, value, "columnheader")));
  const rows = layout.rows.map((row, index) => imageRow(row, layout.rowValues[index], across));
  grid.replaceChildren(...(cells.length ? [heads, ...rows] : [element("p", { class: "empty" }, say("no_cells"))]));
  grid.querySelector(".tile")?.setAttribute("tabindex", 0);
  grid.classList.toggle("many", cells.length > MANY);
  drawLegend(cells.length);
}

function drawLegend(count) {
  const parts = [element("span", {}, say("shown", { count: count.toLocaleString("en") })), element("span", {}, say("grid_hint"))];
  if (data.metrics.length) {
    const { name, high, higherIsBetter } = data.metrics[chosen.metric];
    const ends = [0, high].map((value) => `${formatted(chosen.metric, value)} ${unitSign(chosen.metric)}`.trim());
    if (!higherIsBetter) ends.reverse();
    parts.unshift(element("span", { class: "scale" }, quoted(name), `${say("worst")} ${ends[0]}`,
      element("i", { "aria-hidden": "true" }), `${ends[1]} ${say("best_end")}`));
  }
  document.getElementById("grid-legend").replaceChildren(...parts);
}

function tileOf(cell) {
  return grid.querySelector(`.tile[data-cell="${cell.number}"]`);
}

// one tile takes part in tabbing; the arrow keys move which one
function focusTile(cell) {
  grid.querySelectorAll('.tile[tabindex="0"]').forEach((other) => other.setAttribute("tabindex", -1));
  const node = tileOf(cell);
  node?.setAttribute("tabindex", 0);
  node?.focus({ preventScroll: true });
  node?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function startGrid() {
  const cellAt = (event) => data.cells[event.target.closest(".tile")?.dataset.cell];
  grid.addEventListener("click", (event) => { if (cellAt(event)) openViewer(cellAt(event)); });
  grid.addEventListener("keydown", (event) => {
    const next = cellAt(event) && event.key in STEPS && neighbour(cellAt(event), event.key);
    if (next) { event.preventDefault(); focusTile(next); }
  });
}
