// One image: large, its evidence over it, the same draw of another beside it, every score with its reason.

const viewer = document.getElementById("viewer");
let viewed, fullSize = false;

function canvas(cell, withLabels) {
  if (cell.image === undefined) {
    return element("div", { class: "canvas" }, element("p", { class: "blank" }, quoted(cell.failure ?? say("no_image"))));
  }
  const svg = shape("svg", { "aria-hidden": "true" });
  const image = element("img", { src: cell.image, alt: shownName(cell) });
  const draw = () => drawMarks(svg, image, cell, withLabels);
  image.addEventListener("load", () => {
    // small pictures are shown as what they are, not blurred
    image.classList.toggle("small", image.naturalWidth <= 256);
    node.style.setProperty("--natural", `${image.naturalWidth}px`);
    node.closest("figure").style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
    draw();
  });
  new ResizeObserver(draw).observe(image);
  const node = element("div", { class: "canvas" }, image, svg);
  node.addEventListener("marks", draw);
  return node;
}

function figure(cell, caption, withLabels) {
  return element("figure", {}, canvas(cell, withLabels), ...(caption ? [element("figcaption", {}, caption)] : []));
}

function figures(cell, other) {
  if (!other) return [figure(cell, undefined, true)];
  return comparison.mode === "slider" ? [slider(cell, other)] : beside(cell, other);
}

function pictures(cell, other) {
  const shown = element("div", { class: `pictures ${other && comparison.mode === "beside" ? "two" : ""}` }, ...figures(cell, other));
  const tools = element("div", { class: "tools" }, ...(blind() ? [] : compareControls(cell, other)), sizeButton(cell), ...clipLink(cell));
  const evidence = blind() ? [] : [layerBoxes(cell), element("div", { class: "swatches" }, ...swatches(cell))];
  return element("div", { class: "left" }, tools, shown, ...evidence);
}

// a page that carries its images may lie anywhere, far from the clips
function clipLink(cell) {
  if (!cell.clip || blind() || data.embedded) return [];
  return [element("a", { href: cell.clip, target: "_blank", rel: "noopener", class: "clip", "data-control": "clip" }, say("clip"))];
}

function sizeButton(cell) {
  return element("button", { type: "button", class: "plain size", "aria-pressed": String(fullSize), "data-control": "size", title: say("full_size_hint"),
    on: { click: () => { fullSize = !fullSize; showInViewer(cell); } } }, say("full_size"));
}

function drawEvidence() {
  viewer.querySelectorAll(".canvas").forEach((node) => node.dispatchEvent(new Event("marks")));
  viewer.querySelector(".swatches")?.replaceChildren(...swatches(viewed));
}

function checkbox(name, checked, change, rest = {}) {
  return element("input", { type: "checkbox", checked, "data-control": name, on: { change: (event) => { change(event.target.checked); drawEvidence(); } }, ...rest });
}

const switchIn = (hidden, name) => (visible) => { if (visible) hidden.delete(name); else hidden.add(name); };

// a switch for all evidence, and one for each thing it shows
function layerBoxes(cell) {
  const layers = layersOf(cell);
  if (!layers.length) return element("div");
  const all = checkbox("evidence", evidenceShown, (visible) => {
    evidenceShown = visible;
    viewer.querySelectorAll(".layers .layer").forEach((box) => { box.disabled = !visible; });
  }, { title: say("evidence_hint") });
  const boxes = layers.map((name) => element("label", {},
    checkbox(`layer-${name}`, !hiddenLayers.has(name), switchIn(hiddenLayers, name), { class: "layer", disabled: !evidenceShown }), quoted(shorten(markWords(name)))));
  return element("fieldset", { class: "layers" }, element("legend", { class: "unseen" }, say("evidence")),
    element("label", { class: "all" }, all, say("evidence")), ...boxes);
}

function valueCell(metric, score) {
  if (!score) return element("td", {}, say("none"));
  if (score.value === null) return element("td", { class: "unscored" }, say("unscored"));
  const text = `${formatted(metric, score.value)} ${unitSign(metric)}`.trim();
  const dot = element("span", { class: "dot", "aria-hidden": "true", style: frame(metric, score.value) });
  return element("td", { class: "figures" }, dot, text);
}

// the judge's name and version, and the switch of what it saw
function metricName(metric, score) {
  const { name, version } = data.metrics[metric];
  const judge = [quoted(metricWord(metric)), element("small", { title: say("metric_version", { version }) }, `v${version}`)];
  if (!score?.marks.length) return element("span", { class: "judge-name" }, ...judge);
  const title = say("show_evidence", { metric: metricWord(metric) });
  const box = checkbox(`marks-${name}`, !hiddenMetrics.has(metric), switchIn(hiddenMetrics, metric), { "aria-label": title, style: { "--mark": markColor(metric) } });
  return element("label", { title, class: "judge-name" }, box, ...judge);
}

function scoreTable(cell, other) {
  const table = element("table", { class: "scores" });
  const otherHead = other && (isBaseline(other) ? say("baseline_note") : quoted(drawName(other)));
  const heads = [say("metric"), say("this_image"), ...(other ? [otherHead] : [])];
  table.append(element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)))));
  const body = element("tbody"), metrics = data.metrics.map((_, metric) => metric).filter((metric) => scoreOf(cell, metric) ?? (other && scoreOf(other, metric)));
  for (const metric of metrics) {
    const score = scoreOf(cell, metric), beside = other && scoreOf(other, metric);
    const values = [valueCell(metric, score), ...(other ? [valueCell(metric, beside)] : [])];
    body.append(
      element("tr", {}, element("th", { scope: "row" }, metricName(metric, score)), ...values),
      element("tr", {}, element("td", { class: "reason-cell", colspan: heads.length },
        element("div", {}, element("span", { class: "reason" }, quoted(score?.reason ?? "")), wrongButton(cell, metric)),
        ...(beside && !isBaseline(other) ? [element("span", { class: "reason other" }, element("b", {}, otherHead.cloneNode?.(true) ?? otherHead), ": ", quoted(beside.reason))] : []))),
    );
  }
  table.append(body);
  return metrics.length ? table : element("p", { class: "muted" }, say("no_scores"));
}

function parameters(cell) {
  const prompt = data.prompts[cell.prompt];
  return {
    prompt: prompt.text, negative: prompt.negative, seed: cell.seed, ...data.settings[cell.setting],
    subject: cell.subject, strength: cell.strength, loras: data.loras[cell.subject] ?? [], source: cell.source, cell: cell.key,
  };
}

async function copyParameters(event) {
  const text = JSON.stringify(parameters(viewed), null, 2);
  const button = event.currentTarget;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // browsers without a clipboard on file:// still have the old way
    const area = element("textarea", {}, text);
    viewer.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.textContent = say("copied");
}

function facts(cell) {
  const { prompt: _, negative: __, loras, cell: key, ...rest } = parameters(cell);
  const rows = Object.entries(rest).filter(([, value]) => value !== undefined);
  loras.forEach((lora) => rows.push(["lora", `${lora.file} (${lora.sha256.slice(0, 12)}…)`]));
  rows.push(["cell", key]);
  return element("dl", {}, ...rows.flatMap(([name, value]) =>
    [element("dt", {}, say(name)), element("dd", {}, quoted(String(value)))]));
}

function longText(name, text) {
  return element("div", { class: `text ${name}`, tabindex: 0, role: "region", "aria-label": say(name), "data-control": name }, text);
}

function details(cell, other) {
  const { text, negative } = data.prompts[cell.prompt];
  const parts = [...(data.several ? [] : [judgementPanel(cell)]), ...(blind() ? [] : [element("h3", {}, say("scores")), scoreTable(cell, other)]),
    element("h3", {}, say("prompt")), longText("prompt", text)];
  if (negative) parts.push(element("h3", {}, say("negative")), longText("negative", negative));
  if (!blind()) {
    const copy = element("button", { type: "button", class: "plain copy", "data-control": "copy", on: { click: copyParameters } }, say("copy"));
    parts.push(element("h3", {}, say("parameters")), facts(cell), copy);
  }
  return element("div", { class: "details" }, ...parts);
}

function bar(cell) {
  const button = (text, name, key) => element("button", {
    type: "button", class: "plain", "aria-label": say(name), title: say(name), "data-control": name, disabled: !beyond(cell, key), on: { click: () => stepViewer(key) },
  }, text);
  const close = element("button", { type: "button", class: "plain close", "data-control": "close", on: { click: () => viewer.close() } }, say("close"));
  return element("div", { class: "bar-top" }, element("h2", {}, quoted(shownName(cell))),
    button("←", "previous", "ArrowLeft"), button("→", "next", "ArrowRight"), close);
}

// what had the focus has it again on the next image, so that the keyboard goes on where it was
function focusAgain(name) {
  const again = name && viewer.querySelector(`[data-control="${CSS.escape(name)}"]:not(:disabled)`);
  (again || viewer.querySelector(".close")).focus({ preventScroll: true });
}

function showInViewer(cell) {
  const isNext = viewed !== cell, focused = viewer.contains(document.activeElement) && document.activeElement.dataset.control;
  viewed = cell;
  const other = comparedWith(cell);
  viewer.dataset.cell = cell.number;
  viewer.classList.toggle("full", fullSize);
  viewer.replaceChildren(bar(cell), element("div", { class: "panes" }, pictures(cell, other), details(cell, other)));
  if (isNext) viewer.scrollTop = 0;
  if (viewer.open) focusAgain(focused);
  judgementChanged();
}

function stepViewer(key) {
  const next = beyond(viewed, key);
  if (next) showInViewer(next);
}

function openViewer(cell) {
  showInViewer(cell);
  viewer.showModal();
  focusAgain("close");
}

// fields and sliders keep their own keys; in a long text the arrows scroll
const keepsArrows = (node) => node.closest(".text, textarea, select, input:not([type=checkbox])");
const keepsLetters = (node) => node.closest("textarea, select");

function viewerKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const press = (name) => viewer.querySelector(`[data-control="${name}"]`)?.click();
  if (event.key in STEPS) {
    if (keepsArrows(event.target)) return;
    stepViewer(event.key);
  } else if (keepsLetters(event.target)) return;
  else if (event.key in RATING_KEYS && !data.several) rateByKey(event.key);
  else if (event.key === "e") press("evidence");
  else if (event.key === "f") press("size");
  else return;
  event.preventDefault();
}

function startViewer() {
  viewer.addEventListener("close", () => {
    if (blind()) focusBlindTile(viewed);
    // where another part of the page opened it, the browser gives the focus back
    else if (layout.places.has(viewed)) focusTile(viewed);
  });
  viewer.addEventListener("click", (event) => { if (event.target === viewer) viewer.close(); });
  // a click beside all controls takes the focus out of the dialog, where its own listener would hear nothing
  document.addEventListener("keydown", (event) => { if (viewer.open) viewerKey(event); });
}
