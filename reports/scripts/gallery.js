// Why images fail: those beyond a limit, grouped by what their scorer said of them, the largest group first.

const GALLERY_FEW = 12, GALLERY_GROUPS = 8;
const galleryChoice = { subject: ALL, strength: ALL, open: new Set(), allGroups: false };

// the run's groups as evalharness/report/reason_groups.py made them; of each member what its reason has in the slots
const reasonGroups = (data.groups ?? []).map(({ metric, words, members }) => ({
  key: `${metric} ${words}`, metric, words,
  members: members.split(";").map((text) => {
    const [number, ...numbers] = text.split(" ");
    return { cell: data.cells[number], numbers };
  }),
}));

// the reason with each number that varies as a range: 'hair 9 to 22 degrees towards orange'
function reasonWords({ words, members }) {
  let slot = -1;
  const size = (number) => Number(number.replace("−", "-"));
  return words.replaceAll(SLOT, () => {
    slot += 1;
    const found = members.map(({ numbers }) => numbers[slot]).sort((a, b) => size(a) - size(b));
    return found[0] === found.at(-1) ? found[0] : `${found[0]}–${found.at(-1)}`;
  });
}

// those of the cells, the worst first
function among(cells, group) {
  const worth = ({ cell }) => quality(group.metric, scoreOf(cell, group.metric).value);
  const members = group.members.filter(({ cell }) => cells.has(cell)).sort((a, b) => worth(a) - worth(b));
  return { ...group, members };
}

function groupsOf(cells) {
  const chosenCells = new Set(cells), unmade = cells.filter((cell) => cell.failure !== undefined);
  const judged = data.columns.values.map((values) => cells.filter((cell) => typeof values[cell.number] === "number").length);
  const found = reasonGroups.map((group) => ({ ...among(chosenCells, group), judged: judged[group.metric] }))
    .filter((group) => group.members.length).sort((a, b) => b.members.length - a.members.length);
  if (unmade.length) found.push({ key: "unmade", judged: cells.length, members: unmade.map((cell) => ({ cell })) });
  return found;
}

// The viewer walks the grid, so the grid first shows the image; closing comes back to where the reader was.
function openFrom(cell, origin) {
  if (!layout.places.has(cell)) {
    showAll();
    data.axes.forEach((axis, number) => {
      // labels of prompts and epochs follow from prompt and subject, and would leave no neighbours
      const value = axis.own && axis.name !== "epoch" ? cell.at[number] : ALL;
      if (!onGrid(number) && !(isBaseline(cell) && axis.name === "strength")) chosen.values.set(number, value);
    });
    redraw();
  }
  openViewer(cell);
  viewer.addEventListener("close", () => origin.focus(), { once: true });
}

function galleryThumb(cell, metric) {
  const score = metric >= 0 ? scoreOf(cell, metric) : undefined;
  const value = typeof score?.value === "number" ? formatted(metric, score.value) : "";
  const source = cell.thumbnail ?? cell.image;
  const picture = source === undefined ? element("span", { class: "blank" }, quoted((cell.failure ?? say("no_image")).slice(0, 80)))
    : element("img", { src: source, alt: nameOf(cell), loading: "lazy", decoding: "async", width: 96, height: 96 });
  const strength = isBaseline(cell) || axisNumber("strength") < 0 || valuesOf(axisNumber("strength")).length < 2 ? "" : ` @ ${cell.strength}`;
  return element("button", { type: "button", class: "thumb", title: nameOf(cell), on: { click: (event) => openFrom(cell, event.currentTarget) } },
    picture, element("span", { class: "figures" }, value), element("small", {}, quoted((data.labels[cell.subject] ?? cell.subject) + strength)));
}

function showInGrid(group) {
  const made = group.metric !== undefined;
  if (made) chosen.metric = group.metric;
  const where = ["subject", "strength"].filter((name) => axisNumber(name) >= 0 && galleryChoice[name] !== ALL)
    .map((name) => ["--where", `${name}=${data.axes[axisNumber(name)].values[galleryChoice[name]]}`]);
  const reason = made && ["--reason", `${data.metrics[group.metric].name}=${group.words.replaceAll(SLOT, "#")}`];
  showOnly(group.members.map(({ cell }) => cell), made ? `${metricWord(group.metric)}, ${reasonWords(group)}` : say("gallery_made"), made && [...where, reason]);
  redraw();
  grid.scrollTo(0, 0);
  document.getElementById("grid-section").scrollIntoView();
  document.querySelector("#grid-legend .chip button").focus({ preventScroll: true });
}

function reasonGroup(group) {
  const made = group.metric !== undefined;
  const open = galleryChoice.open.has(group.key);
  const share = Math.round((100 * group.members.length) / group.judged);
  const toggle = () => {
    if (!galleryChoice.open.delete(group.key)) galleryChoice.open.add(group.key);
    drawGallery();
  };
  const buttons = [];
  if (group.members.length > GALLERY_FEW) {
    buttons.push(element("button", { type: "button", class: "plain", "aria-expanded": String(open), on: { click: toggle } },
      open ? say("gallery_fewer") : say("gallery_more", { count: group.members.length })));
  }
  buttons.push(element("button", { type: "button", class: "plain", on: { click: () => showInGrid(group) } }, say("gallery_grid")));
  const title = made ? [element("span", { class: "metric-name" }, quoted(metricWord(group.metric))), " ", quoted(reasonWords(group))]
    : [say("gallery_made")];
  const count = say("gallery_count", { count: group.members.length, judged: group.judged, share });
  const shown = open ? group.members : group.members.slice(0, GALLERY_FEW);
  return element("article", { class: "reason-group" },
    element("header", {}, element("h3", {}, ...title), element("p", { class: "muted figures" }, count), ...buttons),
    element("div", { class: "thumbs" }, ...shown.map(({ cell }) => galleryThumb(cell, group.metric ?? -1))));
}

function galleryCells() {
  const [subject, strength] = ["subject", "strength"].map(axisNumber);
  const ours = data.cells.filter((cell) => galleryChoice.subject === ALL ? !isBaseline(cell) : cell.at[subject] === galleryChoice.subject);
  const found = ours.length ? ours : data.cells;
  return strength < 0 || galleryChoice.strength === ALL ? found : found.filter((cell) => isBaseline(cell) || cell.at[strength] === galleryChoice.strength);
}

function galleryControls() {
  const controls = [];
  for (const [name, all] of [["subject", say("gallery_all")], ["strength", say("all")]]) {
    const axis = axisNumber(name);
    if (axis < 0) continue;
    const values = name === "subject" ? data.axes[axis].values.map((label, value) => ({ label, value })) : valuesOf(axis);
    if (values.length < 2) continue;
    controls.push(select(say(name), [{ label: all, value: ALL }, ...values], galleryChoice[name], (value) => {
      galleryChoice[name] = Number(value);
      drawGallery();
      document.querySelector(`#gallery-controls [aria-label="${say(name)}"]`).focus();
    }));
  }
  return controls;
}

function drawGallery() {
  const groups = groupsOf(galleryCells());
  const shown = galleryChoice.allGroups ? groups : groups.slice(0, GALLERY_GROUPS);
  const nodes = shown.map(reasonGroup);
  if (!groups.length) nodes.push(element("p", { class: "muted" }, say("gallery_none")));
  if (shown.length < groups.length) {
    const click = () => { galleryChoice.allGroups = true; drawGallery(); };
    nodes.push(element("button", { type: "button", class: "plain", on: { click } }, say("gallery_groups", { count: groups.length })));
  }
  document.getElementById("gallery-controls").replaceChildren(...galleryControls());
  document.getElementById("gallery").replaceChildren(...nodes);
}

function startGallery() {
  document.querySelectorAll(".kind .thumbs").forEach((place) => {
    const metric = data.metrics.findIndex((one) => one.name === place.dataset.metric);
    place.append(...place.dataset.cells.split(",").filter(Boolean).map((number) => galleryThumb(data.cells[Number(number)], metric)));
  });
  if (!data.metrics.length) return;
  document.getElementById("gallery-section").hidden = false;
  drawGallery();
}
