// labels.csv of what was judged, for `evalharness calibrate`; the same rules as evalharness/labels.py.

const LABEL_COLUMNS = ["file", "cell", "stars", ...Object.keys(SAYABLE), "scorer_wrong", "note", "blind"];

function labelRow(cell) {
  const { wrong = [], blind: unseen, ...said } = judgementOf(cell);
  const row = { ...said, file: `images/${cell.key.slice(0, 2)}/${cell.key}.png`, cell: cell.key, scorer_wrong: wrong.join("|"), blind: unseen ? 1 : 0 };
  return LABEL_COLUMNS.map((name) => String(row[name] ?? ""));
}

const labelsCsv = () => csvText([LABEL_COLUMNS, ...judgedCells().map(labelRow)]);

const saveLabels = () => save("labels.csv", "text/csv", labelsCsv());

const inShell = (text) => (/^[\w@%+=:,./~-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

// a page that was opened as a file knows where its run lies
function calibrateCommand() {
  let folder = `RUN`;
  if (location.protocol === "file:") {
    try {
      folder = decodeURIComponent(location.pathname).replace(/\/[^/]*$/u, "").replace(/^\/(?=[A-Za-z]:)/u, "") || "/";
    } catch { /* a name that is no UTF-8 cannot be written down */ }
  }
  return `evalharness calibrate ${inShell(folder)} --labels ~/Downloads/labels.csv`;
}
