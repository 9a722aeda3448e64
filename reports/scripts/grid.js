// The image grid: rows and columns by the chosen axes; several images of one place are stacked. Every tile's place
// follows from its numbers, so that of a large grid only what is near the window has to be in the page.

const grid = document.getElementById("grid");
// up to here all tiles are in the page, where a browser's search and print find them
const MANY = 400;
// pixels above and below the window, and beside it, that are drawn as well, so that scrolling meets pictures
const MARGIN = 500;
const MARGIN_ACROSS = 120;
// tiles and pictures that one frame begins at most, and how fast (pixels a frame) scrolling may be to begin pictures
const TILES_A_FRAME = 24;
const PICTURES_A_FRAME = 12;
const TOO_FAST = 400;
const GAP = 6;
const LEAST_ROW = 104;
// pixels across A4 and letter within their margins
const PAPER = 690;
let layout = { rows: [], columnValues: [], places: new Map(), across: 1, tops: [0], whole: true };
let waiting = new Map(); // pictures that were not asked for yet, and their cells
const spare = []; // tiles that left the page and come back as others: new ones for every line make garbage and pauses
let current; // the cell whose tile takes part in tabbing

function arrange(cells) {
  const present = (axis) => [...new Set(cells.map((cell) => cell.at[axis]))].sort((a, b) => a - b);
  const rowValues = present(chosen.rows), columnValues = present(chosen.columns);
  const rowAt = new Map(rowValues.map((value, r) => [value, r])), columnAt = new Map(columnValues.map((value, c) => [value, c]));
  const rows = rowValues.map(() => columnValues.map(() => []));
  for (const cell of cells) rows[rowAt.get(cell.at[chosen.rows])][columnAt.get(cell.at[chosen.columns])].push(cell);
  const slots = rows.flat().reduce((most, stack) => Math.max(most, stack.length), 1);
  const across = Math.min(4, Math.ceil(Math.sqrt(slots)));
  return { rowValues, columnValues, rows, across, whole: cells.length <= MANY, ...measured(rows, across) };
}

// where each image is, in tiles from the upper left; the height of each row; where it begins, in tiles and pixels
function measured(rows, across) {
  const places = new Map(), tops = [0], firstLine = [0];
  rows.forEach((row, r) => {
    const lines = row.reduce((most, stack) => Math.max(most, Math.ceil(stack.length / across)), 1);
    row.forEach((stack, c) => stack.forEach((cell, s) => {
      places.set(cell, { r, c, s, line: firstLine[r] + Math.floor(s / across), slot: c * across + (s % across) });
    }));
    tops.push(tops[r] + Math.max(LEAST_ROW, lines * tileHeight() + GAP));
    firstLine.push(firstLine[r] + lines);
  });
  return { places, tops, firstLine };
}

// pixels, as grid.css has them: the tile with its value and the gap below it
const tileHeight = () => SIZES[chosen.size] + 20 + GAP;
const cellWidth = () => layout.across * (SIZES[chosen.size] + GAP) + GAP;
const headWidth = () => parseFloat(getComputedStyle(grid).getPropertyValue("--head")) * parseFloat(getComputedStyle(document.documentElement).fontSize);

// index of the last entry that is not above the value
function lastBelow(sorted, value) {
  let low = 0, high = sorted.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (sorted[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function cellAtPlace(line, slot) {
  const r = lastBelow(layout.firstLine, line), stack = layout.rows[r]?.[Math.floor(slot / layout.across)];
  return stack?.[(line - layout.firstLine[r]) * layout.across + (slot % layout.across)];
}

// the next image in a direction, over gaps; undefined at the edge
function neighbour(cell, key) {
  const [down, right] = STEPS[key];
  const place = layout.places.get(cell);
  if (!place) return undefined;
  const width = layout.columnValues.length * layout.across, height = layout.firstLine.at(-1);
  for (let line = place.line + down, slot = place.slot + right; ; line += down, slot += right) {
    if (line < 0 || line >= height || slot < 0 || slot >= width) return undefined;
    const found = cellAtPlace(line, slot);
    if (found) return found;
  }
}

// Home and End: the ends of the line, with Ctrl those of the grid; Page keys: as far as the window shows
function jump(cell, event) {
  const ends = { Home: "ArrowLeft", End: "ArrowRight", PageUp: "ArrowUp", PageDown: "ArrowDown" };
  if (event.ctrlKey && event.key === "Home") return layout.rows.flat().find((stack) => stack.length)[0];
  if (event.ctrlKey && event.key === "End") return layout.rows.flat().findLast((stack) => stack.length).at(-1);
  let left = event.key.startsWith("Page") ? Math.max(1, Math.floor(grid.clientHeight / tileHeight()) - 1) : Infinity;
  let found = cell;
  for (let next = cell; next && left >= 0; left -= 1, next = neighbour(next, ends[event.key])) found = next;
  return found;
}

const JUMPS = ["Home", "End", "PageUp", "PageDown"];

function head(axis, value, role) {
  const { name, values } = data.axes[axis];
  const node = element("div", { class: "head", role }, quoted(values[value]));
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

function blank(cell) {
  return element("span", { class: "blank" }, element("span", {}, (cell.failure ?? say("no_image")).slice(0, 200)));
}

// of a large grid a place that takes its colour, until its turn comes; a picture of another cell is no such place
function picture(cell, old) {
  if (cell.image === undefined) return blank(cell);
  const image = old ?? element("img", { decoding: "async", ...(layout.whole ? { loading: "lazy" } : {}) });
  image.removeAttribute("src");
  image.alt = "";
  if (layout.whole) show(image, cell);
  else waiting.set(image, cell);
  return image;
}

function show(image, cell) {
  image.alt = `${nameOf(cell)} · ${data.metrics[chosen.metric] ? metricWord(chosen.metric) : ""} ${valueLine(cell).text}`;
  image.src = cell.thumbnail;
}

function tile(cell) {
  const line = valueLine(cell), node = spare.pop() ?? element("button", { type: "button" });
  const { s } = layout.places.get(cell);
  const left = GAP + (s % layout.across) * (SIZES[chosen.size] + GAP), top = GAP + Math.floor(s / layout.across) * tileHeight();
  node.className = `tile ${line.class}`;
  node.dataset.cell = cell.number;
  node.tabIndex = cell === current ? 0 : -1;
  node.removeAttribute("style");
  Object.entries({ ...line.style, left: `${left}px`, top: `${top}px` }).forEach(([name, value]) => node.style.setProperty(name, value));
  node.replaceChildren(picture(cell, node.querySelector("img")), element("span", { class: "value" }, line.text), ...ratedMark(cell));
  return node;
}

// the reader's stars, over a corner of the picture
function ratedMark(cell) {
  const { stars } = judgementOf(cell);
  return stars ? [element("span", { class: "rated", role: "img", "aria-label": say(`stars_${stars}`) }, "★".repeat(stars))] : [];
}

function drawRated(node, cell) {
  node.querySelector(".rated")?.remove();
  node.append(...ratedMark(cell));
}

function drawAllRated() {
  grid.querySelectorAll(".tile").forEach((node) => drawRated(node, data.cells[node.dataset.cell]));
}

// What is near the window

// first and last row, column and pixel to draw; everything where the grid is small
function nearWindow() {
  if (layout.whole) return { rows: [0, layout.rows.length - 1], columns: [0, layout.columnValues.length - 1], top: 0, bottom: Infinity };
  const { scrollTop, scrollLeft, clientHeight, clientWidth } = grid;
  const top = scrollTop - MARGIN, bottom = scrollTop + clientHeight + MARGIN, width = cellWidth();
  const column = (x) => Math.min(Math.max(Math.floor(x / width), 0), layout.columnValues.length - 1);
  return {
    rows: [lastBelow(layout.tops, top), Math.min(lastBelow(layout.tops, bottom), layout.rows.length - 1)],
    // the rows' heads cover the left: the window's width reaches beyond the last column that is seen
    columns: [column(scrollLeft - MARGIN_ACROSS), column(scrollLeft + clientWidth)], top, bottom,
  };
}

// of a stack, those that are near the window in a row that begins at this pixel
function nearInStack(stack, rowTop, { top, bottom }) {
  if (layout.whole) return stack;
  const first = Math.max(0, Math.floor((top - rowTop) / tileHeight())) * layout.across;
  const end = Math.max(0, Math.ceil((bottom - rowTop) / tileHeight())) * layout.across;
  return stack.slice(first, end);
}

// the wanted children of a node by key: those that are there stay, so that focus and loaded pictures do as well
function keep(node, wanted, make) {
  node.shown ??= new Map();
  for (const [key, child] of node.shown) {
    if (wanted.has(key)) continue;
    child.remove();
    node.shown.delete(key);
    retire(child);
  }
  for (const key of wanted) {
    if (node.shown.has(key)) continue;
    const child = make(key);
    if (!child) return;
    node.shown.set(key, child);
    node.append(child);
  }
}

// tiles of a node that left; a picture that nobody will see is not loaded any more
function retire(child) {
  const tiles = child.matches(".tile") ? [child] : child.querySelectorAll(".tile");
  for (const node of tiles) {
    const image = node.querySelector("img");
    waiting.delete(image);
    image?.removeAttribute("src");
    spare.push(node);
  }
}

const range = ([first, last]) => Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);

function imageRow(r) {
  const pixels = layout.tops[r + 1] - layout.tops[r], height = `${pixels}px`;
  // each head that moves by itself is a layer that every frame costs: only those of tall rows do
  return element("div", { class: `line images ${pixels > 2 * tileHeight() + LEAST_ROW ? "tall" : ""}`, role: "row", "aria-rowindex": r + 2, style: { top: `${layout.tops[r]}px`, height } },
    element("div", { class: "edge" }, head(chosen.rows, layout.rowValues[r], "rowheader")));
}

const atColumn = (c) => ({ left: `calc(var(--head) + ${c} * var(--cell))` });

function stackPlace(c) {
  return element("div", { class: "stack", role: "cell", "aria-colindex": c + 2, style: atColumn(c) });
}

function columnHead(c) {
  const node = head(chosen.columns, layout.columnValues[c], "columnheader");
  node.setAttribute("aria-colindex", c + 2);
  Object.entries(atColumn(c)).forEach(([name, value]) => node.style.setProperty(name, value));
  return node;
}

// The tile that takes part in tabbing stays in the page wherever the window is. True where tiles are left to make.
function drawNear() {
  if (!layout.rows.length) return false;
  const [heads, body] = grid.children;
  const near = nearWindow(), pinned = layout.places.get(current), columns = range(near.columns);
  let left = layout.whole ? Infinity : TILES_A_FRAME;
  const made = (cell) => ((left -= 1) >= 0 || cell === current ? tile(cell) : undefined);
  keep(heads, new Set(columns), columnHead);
  keep(body, new Set([...range(near.rows), pinned.r]), imageRow);
  for (const r of inOrder(body.shown, near)) {
    const row = body.shown.get(r), isNear = r >= near.rows[0] && r <= near.rows[1];
    keep(row, new Set([...(r === pinned.r ? [pinned.c] : []), ...(isNear ? columns : [])]), stackPlace);
    for (const [c, stack] of row.shown) {
      const cells = isNear ? nearInStack(layout.rows[r][c], layout.tops[r], near) : [];
      keep(stack, new Set(r === pinned.r && c === pinned.c ? [current, ...cells] : cells), made);
    }
  }
  return left < 0;
}

// what the reader sees is made before what lies around it
function inOrder(shown, { top }) {
  const middle = top + MARGIN + grid.clientHeight / 2;
  const away = (r) => Math.max(layout.tops[r] - middle, middle - layout.tops[r + 1], 0);
  return layout.whole ? [...shown.keys()] : [...shown.keys()].sort((a, b) => away(a) - away(b));
}

// asks for some of the pictures that wait; true where some are left
function drawPictures() {
  let begun = 0;
  for (const [image, cell] of waiting) {
    if (begun >= PICTURES_A_FRAME) break;
    waiting.delete(image);
    show(image, cell);
    begun += 1;
  }
  return waiting.size > 0;
}

// one step a frame for as long as something is left to do
const steps = { asked: false, scrollTop: 0 };

function soon() {
  if (steps.asked || layout.whole) return;
  steps.asked = true;
  requestAnimationFrame(() => {
    steps.asked = false;
    const fast = Math.abs(grid.scrollTop - steps.scrollTop) > TOO_FAST;
    steps.scrollTop = grid.scrollTop;
    const more = drawNear();
    if (fast || drawPictures() || more) soon();
  });
}

function drawGrid() {
  const cells = shownCells();
  layout = arrange(cells);
  waiting = new Map();
  spare.length = 0;
  if (!layout.places.has(current)) current = layout.rows.flat().find((stack) => stack.length)?.[0];
  const size = SIZES[chosen.size];
  // names of subjects and prompts take several lines
  const headsHeight = ["subject", "prompt"].includes(data.axes[chosen.columns].name) ? "4.6rem" : "2.4rem";
  const styles = { "--heads": headsHeight, "--tile": `${size}px`, "--columns": layout.columnValues.length, "--cell": `${cellWidth()}px`,
    "--on-paper": Math.min(1, PAPER / (headWidth() + layout.columnValues.length * cellWidth())) };
  Object.entries(styles).forEach(([name, value]) => grid.style.setProperty(name, value));
  grid.setAttribute("aria-rowcount", layout.rows.length + 1);
  grid.setAttribute("aria-colcount", layout.columnValues.length + 1);
  const corner = `${say(data.axes[chosen.rows].name)} ↓  ${say(data.axes[chosen.columns].name)} →`;
  const heads = element("div", { class: "line heads", role: "row", "aria-rowindex": 1 },
    element("div", { class: "head corner", role: "columnheader", "aria-colindex": 1 }, corner));
  const body = element("div", { class: "body", role: "rowgroup", style: { height: `${layout.tops.at(-1)}px` } });
  grid.replaceChildren(...(cells.length ? [heads, body] : [element("p", { class: "empty" }, say("no_cells"))]));
  drawNear();
  soon();
  drawLegend(cells.length);
}

function drawLegend(count) {
  const parts = [element("span", {}, say("shown", { count: count.toLocaleString("en") })), element("span", {}, say("grid_hint"))];
  if (data.metrics.length) {
    const { high, higherIsBetter } = data.metrics[chosen.metric];
    const ends = [0, high].map((value) => `${formatted(chosen.metric, value)} ${unitSign(chosen.metric)}`.trim());
    if (!higherIsBetter) ends.reverse();
    parts.unshift(element("span", { class: "scale" }, quoted(metricWord(chosen.metric)), `${say("worst")} ${ends[0]}`,
      element("i", { "aria-hidden": "true" }), `${ends[1]} ${say("best_end")}`));
  }
  document.getElementById("grid-legend").replaceChildren(...(chosen.only ? [onlyChip()] : []), ...parts);
}

function tileOf(cell) {
  return grid.querySelector(`.tile[data-cell="${cell.number}"]`);
}

// so far that the tile stands clear of the heads
function scrollToTile({ r, c, s }) {
  const size = SIZES[chosen.size], top = layout.tops[r] + GAP + Math.floor(s / layout.across) * tileHeight();
  const left = c * cellWidth() + GAP + (s % layout.across) * (size + GAP);
  const height = grid.clientHeight - grid.firstElementChild.offsetHeight, width = grid.clientWidth - headWidth();
  const within = (at, start, length, room) => Math.min(Math.max(at, start + length - room), start);
  grid.scrollTop = within(grid.scrollTop, top - GAP, tileHeight() + GAP, height);
  grid.scrollLeft = within(grid.scrollLeft, left - GAP, size + 2 * GAP, width);
}

// one tile takes part in tabbing; the arrow keys move which one
function focusTile(cell) {
  const place = layout.places.get(cell);
  if (!place) return;
  tileOf(current)?.setAttribute("tabindex", -1);
  current = cell;
  scrollToTile(place);
  drawNear();
  soon();
  const node = tileOf(cell);
  node.setAttribute("tabindex", 0);
  node.focus({ preventScroll: true });
  node.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function moved(cell, event) {
  if (event.key in STEPS) return neighbour(cell, event.key);
  return JUMPS.includes(event.key) ? jump(cell, event) : undefined;
}

function startGrid() {
  const cellAt = (event) => data.cells[event.target.closest(".tile")?.dataset.cell];
  grid.addEventListener("scroll", soon, { passive: true });
  new ResizeObserver(soon).observe(grid);
  grid.addEventListener("click", (event) => { if (cellAt(event)) openViewer(cellAt(event)); });
  grid.addEventListener("keydown", (event) => {
    const next = cellAt(event) && moved(cellAt(event), event);
    if (next) { event.preventDefault(); focusTile(next); }
  });
}
