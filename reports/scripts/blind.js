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
  if (!blind()) return neighbour(cell, key);
  const [down, right] = STEPS[key];
  return shuffled[numbers.get(cell) + down + right];
}

// the next image as one reads: along the row, then the row below
function following(cell) {
  const next = beyond(cell, "ArrowRight");
  if (next || blind()) return next;
  let first = cell;
  for (let before = cell; before; before = neighbour(before, "ArrowLeft")) first = before;
  return neighbour(first, "ArrowDown");
}

function blindTile(cell, number) {
  return element("button", { type: "button", class: "tile", tabindex: number ? -1 : 0, "data-cell": cell.number },
    picture(cell, blindName(cell)), element("span", { class: "value" }, ""));
}

function focusBlindTile(cell) {
  const list = document.getElementById("blind-list");
  list.querySelector('.tile[tabindex="0"]')?.setAttribute("tabindex", -1);
  const node = list.querySelector(`.tile[data-cell="${cell.number}"]`);
  node?.setAttribute("tabindex", 0);
  node?.focus();
}

function drawBlindMarks() {
  document.querySelectorAll("#blind-list .tile").forEach((node) => {
    const { stars } = judgementOf(data.cells[node.dataset.cell]);
    node.querySelector(".value").textContent = stars ? "★".repeat(stars) : say("not_rated");
  });
}

function drawBlind() {
  document.body.classList.toggle("blind", blind());
  const button = document.getElementById("blind-mode");
  button.textContent = say(blind() ? "blind_end" : "blind_start");
  document.getElementById("blind-note").textContent = say(blind() ? "blind_on" : "blind_off");
  document.getElementById("blind-list").replaceChildren(...(blind() ? shuffled.map(blindTile) : []));
}

function setBlind(on) {
  judged.blind = on;
  keep();
  drawBlind();
  judgementChanged();
  document.getElementById("judgement-section").scrollIntoView();
}

function startBlind() {
  shuffled = shuffledCells();
  numbers = new Map(shuffled.map((cell, number) => [cell, number]));
  const list = document.getElementById("blind-list");
  const cellAt = (event) => data.cells[event.target.closest(".tile")?.dataset.cell];
  list.addEventListener("click", (event) => { if (cellAt(event)) openViewer(cellAt(event)); });
  list.addEventListener("keydown", (event) => {
    const next = cellAt(event) && event.key in STEPS && beyond(cellAt(event), event.key);
    if (next) { event.preventDefault(); focusBlindTile(next); }
  });
  drawBlind();
}
