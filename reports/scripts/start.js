// Everything begins here, once the page is there.

function redraw() {
  drawControls(redraw);
  drawGrid();
}

// of what is there: a run without emotions has no matrix
function startContents() {
  const place = document.getElementById("contents");
  const heads = [...document.querySelectorAll("main h2[id]")].filter((head) => !head.closest("[hidden]"));
  place.append(...heads.map((head) => element("a", { href: `#${head.id}` }, head.textContent)));
  place.hidden = heads.length < 3;
}

// on paper nothing can be unfolded, and nothing scrolls
function startPrinting() {
  const closed = [];
  addEventListener("beforeprint", () => document.querySelectorAll(".rest:not([open])").forEach((list) => {
    list.open = true;
    closed.push(list);
  }));
  addEventListener("afterprint", () => closed.splice(0).forEach((list) => { list.open = false; }));
}

startTable();
startPrinting();
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
startContents();
