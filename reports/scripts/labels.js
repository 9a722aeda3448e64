// labels.csv of what was judged, for `evalharness calibrate`; the same rules as evalharness/labels.py.

const LABEL_COLUMNS = ["file", "cell", "stars", ...Object.keys(SAYABLE), "scorer_wrong", "note", "blind"];

// spreadsheets run what begins like a formula: an apostrophe before it makes it text, and calibrate takes it away again
const disarmed = (text) => (/^'*[=+\-@＝＋－＠\t\r\n]/u.test(text) ? `'${text}` : text);
const csvField = (text) => `"${disarmed(text).replaceAll('"', '""')}"`;

function labelRow(cell) {
  const { wrong = [], blind: unseen, ...said } = judgementOf(cell);
  const row = { ...said, file: `images/${cell.key.slice(0, 2)}/${cell.key}.png`, cell: cell.key, scorer_wrong: wrong.join("|"), blind: unseen ? 1 : 0 };
  return LABEL_COLUMNS.map((name) => csvField(String(row[name] ?? ""))).join(",");
}

const labelsCsv = () => [LABEL_COLUMNS.join(","), ...judgedCells().map(labelRow), ""].join("\r\n");

function saveLabels() {
  // with the byte order mark spreadsheets read the notes as UTF-8
  const address = URL.createObjectURL(new Blob(["\ufeff", labelsCsv()], { type: "text/csv" }));
  element("a", { href: address, download: "labels.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

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
