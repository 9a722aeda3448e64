// Files that the reader saves from the page, and tables among them.

function save(name, type, ...parts) {
  const address = URL.createObjectURL(new Blob(parts, { type }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

// spreadsheets run what begins like a formula: an apostrophe before it makes it text; evalharness/csv_rows.py takes it away
const disarmed = (text) => (/^'*[=+\-@＝＋－＠\t\r\n]/u.test(text) ? `'${text}` : text);

function csvField(value) {
  if (typeof value === "number") return String(value);
  const text = disarmed(String(value ?? ""));
  return /[",;\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// with the byte order mark spreadsheets read it as UTF-8
const csvText = (rows) => `\ufeff${rows.map((row) => row.map(csvField).join(",")).join("\r\n")}\r\n`;
