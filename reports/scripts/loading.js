// labels.csv back into the page: what it says of this run's images takes the place of what was said before.

// rows of fields; a field in quotes may hold commas, line ends and doubled quotes
function csvRows(text) {
  const rows = [[]];
  for (const [, quotedField, plain, end] of text.replace(/^\ufeff/u, "").matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r\n|\n|\r|$)/g)) {
    rows.at(-1).push(quotedField === undefined ? plain : quotedField.replaceAll('""', '"'));
    if (end === "") break;
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.some((field) => field !== ""));
}

// as evalharness/csv_rows.py: one apostrophe before what begins like a formula was put there when it was saved
const rearmed = (text) => (/^'+[=+\-@＝＋－＠\t\r\n]/u.test(text) ? text.slice(1) : text);

function saidIn(row) {
  const said = Object.fromEntries(Object.keys(SAYABLE).map((name) => [name, row[name]]));
  const wrong = (row.scorer_wrong ?? "").split("|").map((name) => name.trim()).filter(Boolean);
  return cleaned({ ...said, stars: Number(row.stars), wrong, note: row.note ?? "", blind: row.blind === "1" });
}

// by its key, or by the name of its file, which ends in the key
function cellOfRow(row, cells) {
  return cells.get(row.cell) ?? cells.get((row.file ?? "").replace(/^.*[/\\]|\.\w+$/gu, ""));
}

function loadLabels(text) {
  const [heads = [], ...rows] = csvRows(text);
  const cells = new Map(data.cells.map((cell) => [cell.key, cell]));
  if (!heads.includes("file") && !heads.includes("cell")) return say("load_refused");
  let known = 0;
  for (const fields of rows) {
    const row = Object.fromEntries(heads.map((head, place) => [head, rearmed(fields[place] ?? "")]));
    const cell = cellOfRow(row, cells), said = cell && saidIn(row);
    if (!cell || !Object.keys(said).length) continue;
    judged.images.set(cell.key, said);
    known += 1;
  }
  if (known) allChanged();
  return say("load_done", { known: known.toLocaleString("en"), rows: rows.length.toLocaleString("en") });
}

function startLoading() {
  const input = document.getElementById("labels-file");
  document.getElementById("load-labels").addEventListener("click", () => input.click());
  input.addEventListener("change", async () => {
    const [file] = input.files;
    const said = document.getElementById("labels-loaded");
    // what the file before was said to hold is not said of this one
    said.textContent = "";
    if (file) said.textContent = loadLabels(await file.text());
    // the same file may be chosen again
    input.value = "";
  });
}
