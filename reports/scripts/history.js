// The page of several runs: equal draws as one grid, and what was promoted over time (a figure a metric, a plot a suite).

function startHistory() {
  const place = document.getElementById("history-curves");
  if (!place) return;
  const figures = data.history.map((chart) => figureOf(chart, "runs_date"));
  place.append(...figures.map((one) => one.node));
  figures.forEach((one) => one.draw());
  document.getElementById("curves-note").hidden = !figures.length;
  followSurroundings();
}

function redrawDraws() {
  drawControls(redrawDraws);
  drawGrid();
}

startScrolling();
startHistory();
if (data.cells.length) {
  startGrid();
  startViewer();
  redrawDraws();
}
