// Everything begins here, once the page is there.

function redraw() {
  drawControls(redraw);
  drawGrid();
}

startTable();
if (data.cells.length) {
  startGrid();
  startViewer();
  startJudgement();
  redraw();
  startMatrix();
}
