// Cells, which the page holds as columns, as objects: evalharness/report/columns.py says how they were packed.
// Scores are unpacked when somebody asks for them: a large run has a hundred thousand.

const SLOT = "`";
const DIGITS = Array.from({ length: 94 }, (_, index) => String.fromCharCode(index + 33)).filter((one) => !"\"#&'<>\\`".includes(one));
const HALF = DIGITS.length / 2;
const VALUE_OF = new Map(DIGITS.map((digit, value) => [digit, value]));

// base64 of 32 bytes as 64 hexadecimal digits
function hexKey(text) {
  const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/") + "=");
  return Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

function signedNumbers(text) {
  const numbers = [];
  let value = 0, weight = 1;
  for (const digit of text) {
    const part = VALUE_OF.get(digit);
    value += (part % HALF) * weight;
    weight *= HALF;
    if (part >= HALF) continue;
    numbers.push(value % 2 ? -(value - 1) / 2 : value / 2);
    value = 0;
    weight = 1;
  }
  return numbers;
}

function unpackedPoints(steps, grain) {
  const points = [];
  let x = 0, y = 0;
  for (let index = 0; index < steps.length; index += 2) {
    x += steps[index];
    y += steps[index + 1];
    points.push([x * grain, y * grain]);
  }
  return points;
}

// [kind, label, points, color] for each mark
function unpackedMarks(packed, page, grain) {
  if (packed === "") return [];
  return packed.split(" ").map((text) => {
    const [digits, color] = text.split("#");
    const [style, ...steps] = signedNumbers(digits);
    return [...page.styles[style], unpackedPoints(steps, grain), color === undefined ? null : `#${color}`];
  });
}

// a number of a slot as it was written: its digits, and behind a factor of 4 how many of them are decimals
function asWritten(slot) {
  const decimals = slot % 4;
  const digits = String((slot - decimals) / 4).padStart(decimals + 1, "0");
  return decimals ? `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}` : digits;
}

function unpackedReason(filled, sentences) {
  const [sentence, ...numbers] = signedNumbers(filled);
  let next = 0;
  return sentences[sentence].replaceAll(SLOT, () => asWritten(numbers[next++]));
}

class Score {
  constructor(page, cell, metric) {
    Object.assign(this, { page, cell, metric });
  }

  get value() { return this.page.columns.values[this.metric][this.cell.number]; }

  get reason() { return unpackedReason(this.page.columns.reasons[this.metric][this.cell.number], this.page.sentences); }

  get marks() {
    const found = this.page.columns.marks[this.metric][this.cell.number];
    const { width, height } = this.page.settings[this.cell.setting];
    return unpackedMarks(typeof found === "number" ? this.page.marks[found] : found, this.page, (Math.max(width, height) || 256) / 256);
  }
}

class Cell {
  constructor(page, number, places) {
    const { columns } = page;
    this.number = number;
    this.at = columns.at.map((column) => column[number]);
    this.pair = columns.pairs[number];
    this.subject = page.axes[places.subject].values[this.at[places.subject]];
    this.strength = columns.strengths[number];
    this.seed = columns.seeds[number];
    this.prompt = this.at[places.prompt];
    this.setting = columns.settings[number];
    this.source = columns.sources[number] ?? undefined;
    this.clip = columns.clips[number] ?? undefined;
    const image = columns.images[number];
    this.failure = Array.isArray(image) ? image[0] : undefined;
    // not enumerable: a cell that is copied or written as JSON must not take the whole page with it
    Object.defineProperty(this, "page", { value: page });
  }

  get key() {
    const { keys } = this.page.columns;
    return typeof keys === "string" ? hexKey(keys.slice(this.number * 43, this.number * 43 + 43)) : keys[this.number];
  }

  // the full image's address; undefined where there is none
  get image() {
    const { key, number, page } = this;
    const image = page.embedded?.[number] ?? page.columns.images[number];
    if (typeof image === "string") return image;
    return image === 1 ? `./images/${key.slice(0, 2)}/${key}.png` : undefined;
  }

  // a small picture's address: the image itself where there is no smaller one
  get thumbnail() {
    const { thumbnails } = this.page;
    const small = Array.isArray(thumbnails) ? thumbnails[this.number] : thumbnails;
    if (typeof small === "string") return small;
    return small === 1 ? `./thumbnails/${this.key}.webp` : this.image;
  }

  scoreOf(metric) {
    const filled = this.page.columns.reasons[metric][this.number];
    return filled === "" ? undefined : new Score(this.page, this, metric);
  }

  // [metric, value, reason, marks] for each metric that was scored
  get scores() {
    const found = this.page.metrics.map((_, metric) => this.scoreOf(metric)).filter(Boolean);
    return found.map(({ metric, value, reason, marks }) => [metric, value, reason, marks]);
  }
}

function unpackedCells(page) {
  const place = (name) => page.axes.findIndex((axis) => axis.name === name);
  const places = { subject: place("subject"), prompt: place("prompt") };
  const { columns } = page;
  columns.at = columns.at.map(signedNumbers);
  columns.pairs = signedNumbers(columns.pairs);
  columns.settings = signedNumbers(columns.settings);
  columns.reasons = columns.reasons.map((column) => column.split(" "));
  return columns.pairs.map((_, number) => new Cell(page, number, places));
}
