"use strict";

/* Shows the rows of the matrix that have the chosen result and tool, and the typed letters in their name. */
const filters = document.querySelector(".filters");
if (filters) {
  const rows = [...document.querySelectorAll("tbody.cases tr")].map((row) => ({
    row,
    results: row.dataset.results.split(" "),
    tools: row.dataset.tools.split(" "),
    name: row.cells[0].textContent.toLowerCase(),
  }));
  const [result, tool, name] = ["result", "tool", "name"].map((id) => document.getElementById(id));
  const shown = filters.querySelector("output");
  const apply = () => {
    const letters = name.value.toLowerCase();
    let count = 0;
    for (const one of rows) {
      const fits =
        (result.value === "" || one.results.includes(result.value)) &&
        (tool.value === "" || one.tools.includes(tool.value)) &&
        one.name.includes(letters);
      one.row.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} of ${rows.length} shown`;
  };
  filters.hidden = false;
  filters.addEventListener("input", apply);
  apply();
}
