// Tables wider than the screen can be scrolled by the arrow keys, too: they take part in tabbing while they overflow.

function reachable(area) {
  const wide = area.scrollWidth > area.clientWidth;
  const heading = area.closest("section")?.getAttribute("aria-labelledby");
  const attributes = { tabindex: 0, ...(heading ? { role: "region", "aria-labelledby": heading } : {}) };
  Object.entries(attributes).forEach(([name, value]) => (wide ? area.setAttribute(name, value) : area.removeAttribute(name)));
}

function startScrolling() {
  const observer = new ResizeObserver((entries) => entries.forEach((entry) => reachable(entry.target)));
  document.querySelectorAll(".scroll").forEach((area) => observer.observe(area));
}
