// Archetype x emotion, one small table per subject: the chosen metric's mean, and how many images it stands on.

// with stars the published table comes first: the share of images with three of them, and with two or more
const STARS_TABLE = -2;
const starsMetric = data.metrics.findIndex((metric) => metric.name === "stars");
const harmonyMetric = Math.max(data.metrics.findIndex((metric) => metric.name === "harmony"), 0);
const matrixChoice = { metric: starsMetric < 0 ? harmonyMetric : STARS_TABLE, strength: undefined };

function meanOf(cells, metric) {
  const values = cells.map((cell) => scoreOf(cell, metric)?.value).filter((value) => typeof value === "number");
  return { mean: values.reduce((sum, value) => sum + value, 0) / values.length, scored: values.length, all: cells.length };
}

function starsCell(cells) {
  const values = cells.map((cell) => scoreOf(cell, starsMetric)?.value).filter((value) => typeof value === "number");
  const counts = element("small", {}, `${values.length}/${cells.length}`);
  if (!values.length) return element("td", {}, cells.length ? say("unscored") : say("none"), counts);
  const [three, two] = [3, 2].map((least) => values.filter((value) => value >= least).length);
  // the colour is that of a mean as good as this share of three stars
  const share = (count) => `${Math.round((100 * count) / values.length)} %`;
  const worth = data.metrics[starsMetric].high * (three / values.length);
  return element("td", { style: frame(starsMetric, worth) }, share(three), element("small", {}, `(${share(two)})`), counts);
}

function matrixCell(cells) {
  if (matrixChoice.metric === STARS_TABLE) return starsCell(cells);
  const { mean, scored, all } = meanOf(cells, matrixChoice.metric);
  const counts = element("small", {}, `${scored}/${all}`);
  if (!scored) return element("td", {}, all ? say("unscored") : say("none"), counts);
  return element("td", { style: frame(matrixChoice.metric, mean) }, formatted(matrixChoice.metric, mean), counts);
}

function matrixOf(subject, cells, archetype, emotion) {
  const heads = data.axes[emotion].values.map((value) => element("th", { scope: "col" }, quoted(value)));
  const rows = data.axes[archetype].values.map((value, number) => element("tr", {},
    element("th", { scope: "row" }, quoted(value)),
    ...data.axes[emotion].values.map((_, column) =>
      matrixCell(cells.filter((cell) => cell.at[archetype] === number && cell.at[emotion] === column)))));
  const table = element("table", {}, element("thead", {}, element("tr", {}, element("th", {}, element("span", { class: "unseen" }, say("matrix_heading"))), ...heads)), element("tbody", {}, ...rows));
  return element("figure", {}, element("figcaption", {}, quoted(subject)), table);
}

function drawMatrices() {
  const [archetype, emotion, strength, subject] = ["archetype", "emotion", "strength", "subject"].map(axisNumber);
  const options = starsMetric < 0 ? metricOptions() : [{ label: say("matrix_stars"), value: STARS_TABLE }, ...metricOptions()];
  const choices = [select(say("matrix_metric"), options, matrixChoice.metric, (value) => {
    matrixChoice.metric = Number(value);
    drawMatrices();
  })];
  const strengths = strength < 0 ? [] : valuesOf(strength);
  if (strength >= 0) matrixChoice.strength ??= initialStrength(strength);
  if (strengths.length > 1) {
    choices.push(select(say("strength"), strengths, matrixChoice.strength, (value) => {
      matrixChoice.strength = Number(value);
      drawMatrices();
    }));
  }
  document.getElementById("matrix-controls").replaceChildren(...choices);
  const cells = data.cells.filter((cell) => strength < 0 || isBaseline(cell) || cell.at[strength] === matrixChoice.strength);
  document.getElementById("matrices").replaceChildren(...data.axes[subject].values.map((name) =>
    matrixOf(name, cells.filter((cell) => cell.subject === name), archetype, emotion)));
}

function startMatrix() {
  if (axisNumber("archetype") < 0 || axisNumber("emotion") < 0 || !data.metrics.length) return;
  document.getElementById("matrix-section").hidden = false;
  drawMatrices();
}
