// What the reader takes along: a table of all cells, the page's data, and the grid as one labelled picture.

// a browser's canvas ends at about this many pixels on a side, and at this many in all
const CANVAS_SIDE = 16000;
const CANVAS_PIXELS = 120e6;
const LABEL = { width: 170, height: 36 };

function cellRow(cell) {
  const setting = data.settings[cell.setting], prompt = data.prompts[cell.prompt];
  const axes = data.axes.filter((axis) => !axis.own).map((axis) => axis.values[cell.at[axisNumber(axis.name)]]);
  const scores = data.metrics.flatMap((_, metric) => {
    const score = scoreOf(cell, metric);
    return [score?.value ?? "", score?.reason ?? ""];
  });
  return [cell.key, cell.subject, cell.strength, prompt.id, cell.seed, ...Object.values(setting), ...axes,
    cell.image?.startsWith("data:") ? "" : cell.image, cell.failure, ...scores, prompt.text, prompt.negative];
}

function tableRows() {
  const heads = ["cell", "subject", "strength", "prompt", "seed", ...Object.keys(data.settings[0] ?? {}),
    ...data.axes.filter((axis) => !axis.own).map((axis) => axis.name), "image", "failure",
    ...data.metrics.flatMap(({ name }) => [name, `${name}_reason`]), "prompt_text", "negative_text"];
  return [heads, ...data.cells.map(cellRow)];
}

// the page's data with cells as objects, which other programs read more easily than columns
function jsonText() {
  const { baseline, leader, axes, metrics, prompts, settings, loras } = data;
  const cells = data.cells.map((cell) => ({
    cell: cell.key, subject: cell.subject, strength: cell.strength, prompt: prompts[cell.prompt].id, seed: cell.seed,
    setting: cell.setting, pair: cell.pair, source: cell.source, failure: cell.failure,
    image: cell.image?.startsWith("data:") ? undefined : cell.image,
    labels: Object.fromEntries(axes.map((axis, number) => [axis.name, axis.values[cell.at[number]]])),
    scores: Object.fromEntries(cell.scores.map(([metric, value, reason, marks]) => [metrics[metric].name, {
      value, reason, evidence: marks.map(([kind, label, points, color]) => ({ kind, label, points, color })),
    }])),
  }));
  return JSON.stringify({ baseline, leader, metrics, prompts, settings, loras, cells });
}

function loaded(address) {
  return new Promise((done) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => done(undefined);
    image.src = address;
  });
}

// A page from file:// may show its images but not read them, and the canvas that holds one is closed for reading.
const mayReadImages = () => location.protocol !== "file:" || Boolean(data.embedded);

function fitted(pen, text, width) {
  let shown = text;
  for (let length = text.length; length > 3 && pen.measureText(shown).width > width; length -= 1) {
    shown = `${text.slice(0, Math.ceil(length / 2) - 1)}…${text.slice(text.length - Math.floor(length / 2))}`;
  }
  return shown;
}

function labels(pen, axes, size) {
  pen.font = `600 13px ${getComputedStyle(document.body).fontFamily}`;
  pen.fillStyle = "#1d2126";
  const text = (axis, value) => data.axes[axis].values[value];
  layout.columnValues.forEach((value, c) =>
    pen.fillText(fitted(pen, text(axes.columns, value), cellWidth() - GAP), LABEL.width + c * cellWidth() + GAP, 23));
  layout.rowValues.forEach((value, r) =>
    pen.fillText(fitted(pen, text(axes.rows, value), LABEL.width - 16), 8, LABEL.height + layout.tops[r] + GAP + Math.min(20, size)));
}

async function drawTile(pen, cell, size) {
  const { r, c, s } = layout.places.get(cell);
  const x = LABEL.width + c * cellWidth() + GAP + (s % layout.across) * (size + GAP);
  const y = LABEL.height + layout.tops[r] + GAP + Math.floor(s / layout.across) * tileHeight();
  const line = valueLine(cell);
  const image = cell.image === undefined ? undefined : await loaded(cell.thumbnail);
  pen.fillStyle = "#e2e0db";
  pen.fillRect(x, y, size, size);
  if (image) {
    const scale = Math.min(size / image.naturalWidth, size / image.naturalHeight);
    const [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale];
    pen.drawImage(image, x + (size - width) / 2, y + (size - height) / 2, width, height);
  }
  pen.fillStyle = "#1d2126";
  pen.textAlign = "center";
  pen.fillText(fitted(pen, line.text, size), x + size / 2, y + size + 15);
  pen.textAlign = "start";
}

async function savePicture(note) {
  const size = SIZES[chosen.size], cells = [...layout.places.keys()];
  const width = LABEL.width + layout.columnValues.length * cellWidth(), height = LABEL.height + layout.tops.at(-1);
  if (Math.max(width, height) > CANVAS_SIDE || width * height > CANVAS_PIXELS) {
    note.textContent = say("export_large", { width, height });
    return;
  }
  const sheet = element("canvas", { width, height });
  const pen = sheet.getContext("2d");
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, width, height);
  labels(pen, chosen, size);
  for (const cell of cells) await drawTile(pen, cell, size);
  const body = await new Promise((done) => { sheet.toBlob(done, "image/png"); });
  save("grid.png", "image/png", body);
  note.textContent = say("export_done", { count: cells.length });
}

// the command that draws what is chosen here, for a page that may not
function pictureCommand() {
  const name = (axis) => data.axes[axis].name;
  const others = data.axes.map((axis, number) => [axis, number, valueOn(number)])
    .filter(([axis, number, value]) => !onGrid(number) && value !== ALL && valuesOf(number).length > 1 && axis.name !== "epoch");
  const quote = (text) => (/^[\w.=/+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const only = (chosen.only?.command || []).map(([flag, text]) => ` ${flag} ${quote(text)}`).join("");
  const where = others.map(([axis, , value]) => ` --where ${quote(`${axis.name}=${axis.values[value]}`)}`);
  return `evalharness report RUN --composite grid.png --rows ${quote(name(chosen.rows))} --columns ${quote(name(chosen.columns))}${where.join("")}${only}`;
}

function exportPicture(note) {
  if (mayReadImages()) return savePicture(note);
  note.replaceChildren(say("export_note"), " ", element("code", {}, pictureCommand()), ...(chosen.only && !chosen.only.command ? [" ", say("export_only")] : []));
  return undefined;
}

function startExports() {
  const note = element("span", { class: "muted", role: "status" });
  const button = (name, act) => element("button", { type: "button", class: "plain", on: { click: act } }, say(name));
  const bar = element("div", { class: "exports", role: "group", "aria-label": say("export") },
    button("export_csv", () => save("cells.csv", "text/csv", csvText(tableRows()))),
    button("export_json", () => save("report.json", "application/json", jsonText())),
    button("export_picture", () => exportPicture(note)), note);
  grid.after(bar);
}
