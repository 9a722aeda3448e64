// What the reader thinks of each image: kept in this browser, by the run's name and each image's cell.

const SAYABLE = {
  // the words that evalharness/labels.py reads
  emotion_seen: ["neutral", "happy", "sad", "angry", "surprised", "none"],
  mouth: ["present", "absent", "unclear"],
  eyes: ["both", "one", "closed", "none", "unclear"],
  multiple: ["0", "1"],
};
const STARS = [1, 2, 3];
const LONGEST_NOTE = 2000;
const KEPT_AS = `evalharness.judgement:${document.body.dataset.run ?? ""}`;
const judged = { images: new Map(), blind: false, seed: 1, refused: false };

const blind = () => judged.blind;
const judgementOf = (cell) => judged.images.get(cell.key) ?? {};
const judgedCells = () => data.cells.filter((cell) => judged.images.has(cell.key));

// a browser shares what file:// pages keep, so that what comes back may be anybody's
function cleaned(given) {
  const found = {};
  if (STARS.includes(given?.stars)) found.stars = given.stars;
  if (Array.isArray(given?.wrong)) found.wrong = given.wrong.filter((name) => data.metrics.some((metric) => metric.name === name));
  if (typeof given?.note === "string") found.note = given.note.slice(0, LONGEST_NOTE);
  Object.entries(SAYABLE).forEach(([name, words]) => { if (words.includes(given?.[name])) found[name] = given[name]; });
  if (found.stars && given.blind === true) found.blind = true;
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value.length !== 0));
}

function remember() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT_AS) ?? "{}") ?? {};
    const images = Object.entries(kept.images ?? {}).map(([key, given]) => [key, cleaned(given)]);
    judged.images = new Map(images.filter(([, found]) => Object.keys(found).length));
    judged.seed = Number.isInteger(kept.seed) ? kept.seed : Math.floor(Math.random() * 2 ** 31);
    judged.blind = kept.blind === true;
  } catch {
    // refused by the browser's settings, or not ours
    judged.seed = Math.floor(Math.random() * 2 ** 31);
  }
}

// whether it would be kept must be said before anything is lost
function tryToKeep() {
  try {
    localStorage.setItem(`${KEPT_AS}?`, "");
    localStorage.removeItem(`${KEPT_AS}?`);
  } catch {
    judged.refused = true;
  }
}

function keepJudgements() {
  try {
    const images = Object.fromEntries(judged.images);
    localStorage.setItem(KEPT_AS, JSON.stringify({ images, blind: judged.blind, seed: judged.seed }));
    judged.refused = false;
  } catch {
    judged.refused = true;
  }
}

function judge(cell, changes) {
  const found = cleaned({ ...judgementOf(cell), ...changes });
  if (Object.keys(found).length) judged.images.set(cell.key, found);
  else judged.images.delete(cell.key);
  keepJudgements();
  judgementChanged();
  drawBlindMark(cell);
  const shown = tileOf(cell);
  if (shown) drawRated(shown, cell);
}

const rate = (cell, stars) => judge(cell, { stars: stars || undefined, blind: blind() });

function toggleWrong(cell, metric) {
  const before = judgementOf(cell).wrong ?? [];
  judge(cell, { wrong: before.includes(metric) ? before.filter((name) => name !== metric) : [...before, metric] });
}

// What the viewer shows of it

function starButton(cell, stars) {
  return element("button", {
    type: "button", class: "plain star", "data-control": `star-${stars}`, "data-stars": stars, "aria-label": say(`stars_${stars}`),
    title: say(`stars_${stars}`), on: { click: () => rate(cell, judgementOf(cell).stars === stars ? 0 : stars) },
  }, "★".repeat(stars));
}

function wrongButton(cell, metric) {
  if (data.several) return "";
  const { name } = data.metrics[metric];
  return element("button", {
    type: "button", class: "plain wrong", "data-control": `wrong-${name}`, "data-wrong": name, "aria-label": say("wrong_of", { metric: metricWord(metric) }),
    on: { click: () => toggleWrong(cell, name) },
  }, say("wrong"));
}

function noteField(cell) {
  const field = element("textarea", { rows: 2, maxlength: LONGEST_NOTE, "data-control": "note",
    on: { input: (event) => judge(cell, { note: event.target.value }) } }, judgementOf(cell).note ?? "");
  return element("label", { class: "field" }, say("note"), field);
}

function moreFields(cell) {
  const fields = Object.entries(SAYABLE).map(([name, words]) => {
    const options = [{ label: say("not_said"), value: "" }, ...words.map((value) => ({ label: say(`${name}_${value}`), value }))];
    const list = select(say(name), options, judgementOf(cell)[name] ?? "", (value) => judge(cell, { [name]: value || undefined }));
    list.lastChild.dataset.control = name;
    return list;
  });
  const open = Object.keys(SAYABLE).some((name) => name in judgementOf(cell));
  return element("details", { class: "more", open }, element("summary", {}, say("say_more")), element("div", { class: "controls" }, ...fields));
}

function judgementPanel(cell) {
  const stars = element("div", { class: "stars", role: "group", "aria-label": say("stars") }, ...STARS.map((count) => starButton(cell, count)));
  return element("section", { class: "judge", "aria-label": say("judgement_heading") },
    element("h3", {}, say("judgement_heading")), stars, element("p", { class: "hint" }, say("rate_hint")), noteField(cell), moreFields(cell));
}

// after every change: which buttons are pressed, the counts, and the sentence for who cannot see them
function judgementChanged() {
  if (viewed) {
    const { stars, wrong = [] } = judgementOf(viewed);
    viewer.querySelectorAll("[data-stars]").forEach((node) => node.setAttribute("aria-pressed", Number(node.dataset.stars) === stars));
    viewer.querySelectorAll("[data-wrong]").forEach((node) => node.setAttribute("aria-pressed", wrong.includes(node.dataset.wrong)));
  }
  drawJudgementSection();
}

const RATING_KEYS = { 0: 0, 1: 1, 2: 2, 3: 3 };

// 1, 2 and 3 rate and go on; 0 takes the stars back and stays
function rateByKey(key) {
  rate(viewed, RATING_KEYS[key]);
  if (RATING_KEYS[key] && following(viewed)) showInViewer(following(viewed));
}

// The section of the page

function drawJudgementSection() {
  if (data.several) return;
  const cells = judgedCells();
  const count = (test) => cells.filter((cell) => test(judgementOf(cell))).length.toLocaleString("en");
  const counts = { images: cells.length.toLocaleString("en"), rated: count((j) => j.stars), blind: count((j) => j.blind), wrong: count((j) => j.wrong) };
  document.getElementById("judgement-counts").textContent = say(cells.length ? "judgement_counts" : "judgement_none", counts);
  document.getElementById("judgement-refused").hidden = !judged.refused;
  document.getElementById("save-labels").disabled = !cells.length;
  document.getElementById("forget-labels").disabled = !cells.length;
  const command = document.getElementById("judgement-command");
  command.parentElement.hidden = !cells.length;
  command.textContent = calibrateCommand();
}

// many at once: forgotten or loaded
function allChanged() {
  keepJudgements();
  drawBlind();
  drawAllRated();
  judgementChanged();
}

function forgetAll() {
  if (!window.confirm(say("forget_sure"))) return;
  judged.images.clear();
  allChanged();
}

function startJudgement() {
  remember();
  tryToKeep();
  document.getElementById("judgement-section").hidden = false;
  document.getElementById("save-labels").addEventListener("click", saveLabels);
  startLoading();
  document.getElementById("forget-labels").addEventListener("click", forgetAll);
  document.getElementById("blind-mode").addEventListener("click", () => setBlind(!blind()));
  // the same run may be open twice
  window.addEventListener("storage", (event) => {
    if (event.key !== KEPT_AS) return;
    remember();
    drawBlind();
    drawAllRated();
    judgementChanged();
  });
  startBlind();
  judgementChanged();
}
