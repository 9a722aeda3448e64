// Blind mode: all images in one shuffled list, and nothing on the page that says which epoch made which.

let shuffled = [], numbers = new Map();

// the same order on every visit: a reader comes back to where he was
function shuffledCells() {
  const place = (cell) => [...`${judged.seed}:${cell.key}`].reduce((hash, one) => Math.imul(hash ^ one.codePointAt(0), 16777619) >>> 0, 2166136261);
  const places = new Map(data.cells.map((cell) => [cell, Math.imul(place(cell), 2654435761) >>> 0]));
  return data.cells.filter((cell) => cell.image !== undefined).sort((a, b) => places.get(a) - places.get(b));
}

const blindName = (cell) => say("image_of", { number: (numbers.get(cell) + 1).toLocaleString("en"), count: shuffled.length.toLocaleString("en") });
const shownName = (cell) => (blind() ? blindName(cell) : nameOf(cell));

// where the arrows lead, in the list or in the grid
function beyond(cell, key) {
  // an image that other parts of the page opened may not be on the grid as it is chosen now
  if (!blind()) return layout.places.has(cell) ? neighbour(cell, key) : undefined;
  const [down, right] = STEPS[key];
  return shuffled[numbers.get(cell) + down + right];
}

// the next image as one reads: along the row, then the row below
function following(cell) {
  const next = beyond(cell, "ArrowRight");
  if (next || blind()) return next;
  let first = cell;
  for (let before = cell; before; before = beyond(before, "ArrowLeft")) first = before;
  return beyond(first, "ArrowDown");
}

function blindTile(cell) {
  const image = element("img", { src: cell.thumbnail ?? cell.image, alt: blindName(cell), loading: "lazy", decoding: "async" });
  return element("button", { type: "button", class: "tile", tabindex: numbers.get(cell) ? -1 : 0, "data-cell": cell.number },
    image, element("span", { class: "value" }, starsOf(cell)));
}

// ten thousand tiles at once would hold up the page: more come as the reader nears the end
const AT_ONCE = 300;
const endWatcher = new IntersectionObserver((seen) => {
  const there = document.getElementById("blind-list").children.length;
  if (blind() && there < shuffled.length && seen.some((one) => one.isIntersecting)) growBlindList(there + 1);
}, { rootMargin: "1500px" });

function growBlindList(least) {
  const list = document.getElementById("blind-list"), there = list.children.length;
  list.append(...shuffled.slice(there, Math.max(there, Math.ceil(least / AT_ONCE) * AT_ONCE)).map(blindTile));
  // an end that is still near (in a tall window) is no news to its watcher: it is asked to look again
  const end = document.getElementById("blind-end");
  endWatcher.unobserve(end);
  endWatcher.observe(end);
}

function focusBlindTile(cell) {
  const list = document.getElementById("blind-list");
  growBlindList(numbers.get(cell) + 1);
  list.querySelector('.tile[tabindex="0"]')?.setAttribute("tabindex", -1);
  const node = list.querySelector(`.tile[data-cell="${cell.number}"]`);
  node?.setAttribute("tabindex", 0);
  node?.focus();
}

const starsOf = (cell) => "★".repeat(judgementOf(cell).stars ?? 0) || say("not_rated");

function drawBlindMark(cell) {
  const line = document.querySelector(`#blind-list .tile[data-cell="${cell.number}"] .value`);
  if (line) line.textContent = starsOf(cell);
}

function drawBlind() {
  if (blind() && !shuffled.length) {
    shuffled = shuffledCells();
    numbers = new Map(shuffled.map((cell, number) => [cell, number]));
  }
  document.body.classList.toggle("blind", blind());
  const button = document.getElementById("blind-mode");
  button.textContent = say(blind() ? "blind_end" : "blind_start");
  document.getElementById("blind-note").textContent = say(blind() ? "blind_on" : "blind_off");
  document.getElementById("blind-list").replaceChildren();
  if (blind()) growBlindList(1);
}

function setBlind(on) {
  judged.blind = on;
  keepJudgements();
  drawBlind();
  judgementChanged();
  document.getElementById("judgement-section").scrollIntoView();
}

function startBlind() {
  const list = document.getElementById("blind-list");
  const cellAt = (event) => data.cells[event.target.closest(".tile")?.dataset.cell];
  list.addEventListener("click", (event) => { if (cellAt(event)) openViewer(cellAt(event)); });
  list.addEventListener("keydown", (event) => {
    const next = cellAt(event) && event.key in STEPS && beyond(cellAt(event), event.key);
    if (next) { event.preventDefault(); focusBlindTile(next); }
  });
  drawBlind();
}
