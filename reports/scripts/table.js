// Sorting the table of subjects; the baseline stays first, and rows without a value stay last.

function compared(a, b, direction) {
  if (a === "" || b === "") return (a === "") - (b === "");
  const numbers = [Number(a), Number(b)];
  return direction * (numbers.some(Number.isNaN) ? a.localeCompare(b) : numbers[0] - numbers[1]);
}

function sortBy(table, column) {
  const heads = [...table.tHead.rows[0].cells];
  const direction = heads[column].getAttribute("aria-sort") === "descending" ? 1 : -1;
  heads.forEach((cell) => cell.removeAttribute("aria-sort"));
  heads[column].setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
  const value = (row) => row.cells[column].dataset.sort ?? "";
  const isFirst = (row) => row.classList.contains("baseline");
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => isFirst(b) - isFirst(a) || compared(value(a), value(b), direction));
  table.tBodies[0].append(...rows);
}

function startTable() {
  const table = document.getElementById("subject-table");
  table.tHead.addEventListener("click", (event) => {
    const cell = event.target.closest("button")?.closest("th");
    if (cell) sortBy(table, cell.cellIndex);
  });
}
