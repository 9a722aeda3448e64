// One image: large, its evidence over it, the baseline's same draw beside it, every score with its reason.

const viewer = document.getElementById("viewer");
const hiddenMetrics = new Set();
let viewed;

function baselineOf(cell) {
  return isBaseline(cell) ? undefined : data.cells.find((other) => isBaseline(other) && other.pair === cell.pair);
}

function canvas(cell, withLabels) {
  if (cell.image === undefined) {
    return element("div", { class: "canvas" }, element("p", { class: "blank" }, quoted(cell.failure ?? say("no_image"))));
  }
  const svg = shape("svg", { "aria-hidden": "true" });
  const image = element("img", { src: cell.image, alt: nameOf(cell) });
  const draw = () => drawMarks(svg, image, cell, hiddenMetrics, withLabels);
  image.addEventListener("load", () => {
    // small pictures are shown as what they are, not blurred
    image.classList.toggle("small", image.naturalWidth <= 256);
    draw();
  });
  new ResizeObserver(draw).observe(image);
  const node = element("div", { class: "canvas" }, image, svg);
  node.addEventListener("marks", draw);
  return node;
}

function figure(cell, caption, withLabels) {
  return element("figure", {}, canvas(cell, withLabels), element("figcaption", {}, caption));
}

function pictures(cell, baseline) {
  const figures = [figure(cell, quoted(nameOf(cell)), true)];
  if (baseline) figures.push(figure(baseline, say("same_draw"), false));
  const colors = element("div", { class: "swatches" }, ...swatches(cell, hiddenMetrics));
  return element("div", { class: `pictures ${baseline ? "" : "alone"}` }, ...figures, colors);
}

function toggleMetric(metric, visible) {
  if (visible) hiddenMetrics.delete(metric);
  else hiddenMetrics.add(metric);
  viewer.querySelectorAll(".canvas").forEach((node) => node.dispatchEvent(new Event("marks")));
  viewer.querySelector(".swatches").replaceChildren(...swatches(viewed, hiddenMetrics));
}

function valueCell(metric, score) {
  if (!score) return element("td", {}, say("none"));
  if (score.value === null) return element("td", { class: "unscored" }, say("unscored"));
  const text = `${formatted(metric, score.value)} ${unitSign(metric)}`.trim();
  const dot = element("span", { class: "dot", "aria-hidden": "true", style: frame(metric, score.value) });
  return element("td", { class: "figures" }, dot, text);
}

function metricName(metric, score) {
  const { name } = data.metrics[metric];
  if (!score.marks.length) return quoted(name);
  const change = (event) => toggleMetric(metric, event.target.checked);
  const title = say("show_evidence", { metric: name });
  const box = element("input", {
    type: "checkbox", checked: !hiddenMetrics.has(metric), "aria-label": title, on: { change }, style: { "--mark": markColor(metric) },
  });
  return element("label", { title }, box, quoted(name));
}

function scoreTable(cell, baseline) {
  const table = element("table", { class: "scores" });
  const heads = [say("metric"), say("this_image"), ...(baseline ? [say("baseline_note")] : [])];
  table.append(element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)))));
  const body = element("tbody");
  for (const [metric] of cell.scores) {
    const score = scoreOf(cell, metric);
    const values = [valueCell(metric, score), ...(baseline ? [valueCell(metric, scoreOf(baseline, metric))] : [])];
    body.append(
      element("tr", {}, element("th", { scope: "row" }, metricName(metric, score)), ...values),
      element("tr", {}, element("td", { class: "reason", colspan: heads.length }, quoted(score.reason))),
    );
  }
  table.append(body);
  return cell.scores.length ? table : element("p", { class: "muted" }, say("no_scores"));
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

function details(cell, baseline) {
  const prompt = data.prompts[cell.prompt];
  const parts = [scoreTable(cell, baseline), element("h3", {}, say("prompt")),
    element("div", { class: "text prompt", tabindex: 0 }, prompt.text)];
  if (prompt.negative) {
    parts.push(element("h3", {}, say("negative")), element("div", { class: "text negative", tabindex: 0 }, prompt.negative));
  }
  const copy = element("button", { type: "button", class: "plain copy", on: { click: copyParameters } }, say("copy"));
  return element("div", { class: "details" }, ...parts, element("h3", {}, say("parameters")), facts(cell), copy);
}

function bar(cell) {
  const button = (text, name, key) => element("button", {
    type: "button", class: "plain", "aria-label": say(name), title: say(name), disabled: !neighbour(cell, key), on: { click: () => stepViewer(key) },
  }, text);
  const close = element("button", { type: "button", class: "plain close", on: { click: () => viewer.close() } }, say("close"));
  return element("div", { class: "bar-top" }, element("h2", {}, quoted(nameOf(cell))),
    button("←", "previous", "ArrowLeft"), button("→", "next", "ArrowRight"), close);
}

function showInViewer(cell) {
  viewed = cell;
  const baseline = baselineOf(cell);
  viewer.dataset.cell = cell.number;
  viewer.replaceChildren(bar(cell), element("div", { class: "panes" }, pictures(cell, baseline), details(cell, baseline)));
  viewer.scrollTop = 0;
}

function stepViewer(key) {
  const next = neighbour(viewed, key);
  if (!next) return;
  showInViewer(next);
  viewer.querySelector(".close").focus();
}

function openViewer(cell) {
  showInViewer(cell);
  viewer.showModal();
  viewer.querySelector(".close").focus();
}

function startViewer() {
  viewer.addEventListener("close", () => focusTile(viewed));
  viewer.addEventListener("click", (event) => { if (event.target === viewer) viewer.close(); });
  viewer.addEventListener("keydown", (event) => {
    // in a long text the arrows scroll
    if (!(event.key in STEPS) || event.target.closest(".text")) return;
    event.preventDefault();
    stepViewer(event.key);
  });
}
