// What the reader chose to see: the axes on rows and columns, one value (or all) of every other axis, metric, size.

const ALL = -1;
const SIZES = { S: 72, M: 104, L: 168, XL: 256 };
// as large as leaves all subjects in view
function fittingSize() {
  const room = (document.getElementById("grid")?.clientWidth ?? 0) - 170;
  const subjects = data.axes?.[axisNumber("subject")]?.values.length ?? 1;
  if (room < 400) return "S";
  return subjects * (SIZES.L + 12) <= room ? "L" : "M";
}

// what says most of a picture, where the run has it
const tellingMetric = ["stars", "harmony"].map((name) => data.metrics.findIndex((metric) => metric.name === name)).find((found) => found >= 0) ?? 0;

const chosen = { rows: axisNumber("prompt"), columns: axisNumber("subject"), metric: tellingMetric, size: fittingSize(), values: new Map(), only: undefined };

const onGrid = (axis) => axis === chosen.rows || axis === chosen.columns;

// values that only the baseline has (strength 0) are no choice: the baseline is always shown
function valuesOf(axis) {
  const own = data.cells.filter((cell) => !isBaseline(cell));
  const used = new Set((own.length ? own : data.cells).map((cell) => cell.at[axis]));
  const spare = data.axes[axis].name === "strength";
  return data.axes[axis].values.map((label, value) => ({ label, value })).filter((v) => !spare || used.has(v.value));
}

// what is recommended, else the strongest
function initialStrength(axis) {
  const values = valuesOf(axis);
  return (values.find(({ label }) => label === String(data.leaderStrength)) ?? values.at(-1))?.value;
}

function initialValue(axis) {
  const { name, own } = data.axes[axis];
  const values = valuesOf(axis);
  // an epoch is chosen with its subject; with epochs on the grid, all subjects are
  if (!own || name === "epoch" || (name === "subject" && onGrid(axisNumber("epoch")))) return ALL;
  if (name === "prompt") return data.axes.some((other, index) => onGrid(index) && !other.own) ? ALL : 0;
  if (name === "subject") return Math.max(data.axes[axis].values.indexOf(data.leader), 0);
  // each of several runs has its own
  if (name === "strength") return data.several ? ALL : initialStrength(axis);
  return values[name === "guidance_scale" ? Math.floor((values.length - 1) / 2) : 0].value;
}

const valueOn = (axis) => chosen.values.get(axis) ?? initialValue(axis);

function isShown(cell, values) {
  return values.every(([axis, value]) => {
    if (value === ALL || cell.at[axis] === value) return true;
    const { name } = data.axes[axis];
    if (!isBaseline(cell)) return false;
    // the baseline has one strength only, and belongs beside every subject's strengths
    return name === "strength" || (name === "subject" && data.axes.some((a, i) => onGrid(i) && a.name === "strength"));
  });
}

function shownCells() {
  const values = data.axes.map((_, axis) => [axis, valueOn(axis)]).filter(([axis]) => !onGrid(axis));
  return data.cells.filter((cell) => isShown(cell, values) && (!chosen.only || chosen.only.cells.has(cell)));
}

// one group of images alone, with what it is called and the words of a command that choose it; whatever the axes were set to comes back with all images
function showOnly(cells, words, command) {
  chosen.only = { cells: new Set(cells), words, command, before: chosen.only?.before ?? new Map(chosen.values) };
  data.axes.forEach((axis, number) => { if (!onGrid(number)) chosen.values.set(number, ALL); });
}

function showAll() {
  if (!chosen.only) return;
  chosen.values = chosen.only.before;
  chosen.only = undefined;
}

function onlyChip() {
  const click = () => { showAll(); redraw(); grid.focus({ preventScroll: true }); };
  const button = element("button", { type: "button", class: "plain", "aria-describedby": "only-words", on: { click } }, say("only_all"));
  const count = chosen.only.cells.size.toLocaleString("en");
  return element("span", { class: "chip" }, element("span", { id: "only-words" }, say("only_shown", { count }), " ", quoted(chosen.only.words)), button);
}

function select(label, options, value, change) {
  const list = element("select", { "aria-label": label, on: { change: (event) => change(event.target.value) } });
  for (const option of options) {
    list.append(element("option", { value: option.value, selected: String(option.value) === String(value) }, option.label));
  }
  return element("label", {}, label, list);
}

function chooseAxis(place, axis) {
  const other = place === "rows" ? "columns" : "rows";
  if (chosen[other] === axis) chosen[other] = chosen[place];
  chosen[place] = axis;
}

function metricOptions() {
  return data.metrics.map((_, value) => ({ label: metricWord(value), value }));
}

function drawControls(changed) {
  const axes = data.axes.map((axis, value) => ({ label: say(axis.name), value }));
  const set = (apply) => (value) => { apply(value); changed(); };
  const controls = ["rows", "columns"].map((place) =>
    select(say(place), axes, chosen[place], set((value) => chooseAxis(place, Number(value)))));
  data.axes.forEach((axis, number) => {
    const options = valuesOf(number);
    if (onGrid(number) || options.length < 2 || axis.name === "epoch") return;
    options.unshift({ label: say("all"), value: ALL });
    controls.push(select(say(axis.name), options, valueOn(number), set((value) => chosen.values.set(number, Number(value)))));
  });
  if (data.metrics.length) {
    controls.push(select(say("color_by"), metricOptions(), chosen.metric, set((value) => { chosen.metric = Number(value); })));
  }
  const sizes = Object.keys(SIZES).map((name) => ({ label: name, value: name }));
  controls.push(select(say("size"), sizes, chosen.size, set((value) => { chosen.size = value; })));
  const place = document.getElementById("grid-controls");
  const focused = [...place.querySelectorAll("select")].indexOf(document.activeElement);
  place.replaceChildren(...controls);
  if (focused >= 0) place.querySelectorAll("select")[focused]?.focus();
}
