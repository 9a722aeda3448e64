// Everything begins here, once the page is there.

function redraw() {
  drawControls(redraw);
  drawGrid();
}

startTable();
startScrolling();
startCurves();
if (data.cells.length) {
  startGrid();
  startViewer();
  startJudgement();
  startExports();
  redraw();
  startMatrix();
  startGallery();
}
