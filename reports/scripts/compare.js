// The same draw by another epoch, strength or run, beside the image or under it with a slider between the two.

const comparison = { other: undefined, mode: "beside", at: 50 };
const drawId = (cell) => JSON.stringify([cell.subject, cell.strength]);
const drawName = (cell) => (isBaseline(cell) ? cell.subject : `${cell.subject} @ ${cell.strength}`);
let draws;

// the cells of each draw, found once: a run has thousands
function sameDraw(cell) {
  if (!draws) {
    draws = new Map();
    data.cells.forEach((one) => { draws.set(one.pair, [...(draws.get(one.pair) ?? []), one]); });
  }
  return draws.get(cell.pair).filter((other) => drawId(other) !== drawId(cell)).sort((a, b) => isBaseline(b) - isBaseline(a));
}

// the chosen one where it made this draw, else the baseline, or beside the baseline who leads
function comparedWith(cell) {
  if (comparison.other === "" || blind()) return undefined;
  const others = sameDraw(cell);
  return others.find((other) => drawId(other) === comparison.other) ?? others.find(isBaseline)
    ?? others.findLast((other) => data.several || other.subject === data.leader);
}

function compareControls(cell, other) {
  const others = sameDraw(cell);
  if (!others.length) return [];
  const again = (name, value) => { comparison[name] = value; showInViewer(cell); };
  const options = [{ label: say("nothing"), value: "" }, ...others.map((one) => ({ label: drawName(one), value: drawId(one) }))];
  const list = select(say("compare_with"), options, other ? drawId(other) : "", (value) => again("other", value));
  list.lastChild.dataset.control = "other";
  return other ? [list, modes((mode) => again("mode", mode))] : [list];
}

function modes(change) {
  const radio = (mode) => element("label", {}, element("input", {
    type: "radio", name: "mode", value: mode, checked: comparison.mode === mode, "data-control": mode, on: { change: () => change(mode) },
  }), say(mode));
  return element("fieldset", { class: "modes" }, element("legend", { class: "unseen" }, say("compare")), radio("beside"), radio("slider"));
}

function split(node, at) {
  comparison.at = at;
  node.style.setProperty("--at", at / 100);
}

// the other lies above the image, cut off at the slider; the range covers both, so that a drag anywhere moves it
function slider(cell, other) {
  const range = element("input", {
    type: "range", min: 0, max: 100, step: 1, value: comparison.at, "data-control": "range", "aria-valuetext": "",
    "aria-label": say("slider_between", { left: drawName(other), right: drawName(cell) }),
    on: { input: (event) => { split(stack, Number(event.target.value)); tell(); } },
  });
  const tell = () => range.setAttribute("aria-valuetext", say("slider_at", { share: `${range.value} %`, left: drawName(other) }));
  const stack = element("div", { class: "stacked" }, canvas(cell, false), canvas(other, false), range, element("i", { "aria-hidden": "true" }));
  split(stack, comparison.at);
  tell();
  const names = element("figcaption", { class: "ends" }, quoted(drawName(other)), quoted(drawName(cell)));
  return element("figure", { class: "slider" }, stack, names);
}

function beside(cell, other) {
  const name = isBaseline(other) ? say("same_draw") : quoted(say("same_draw_of", { name: drawName(other) }));
  return [figure(cell, quoted(nameOf(cell)), true), figure(other, name, false)];
}
