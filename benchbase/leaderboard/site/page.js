"use strict";
// Shows, hides, sorts and draws what Python computed; every text is set as text.
const data = JSON.parse(document.getElementById("data").textContent);

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows];
      const value = (row) => {
        const cell = row.cells[column];
        const number = parseFloat(cell.dataset.order ?? cell.textContent);
        return [number, cell.textContent.trim()];
      };
      rows.sort((a, b) => {
        const [x, xText] = value(a), [y, yText] = value(b);
        if (isNaN(x) !== isNaN(y)) return isNaN(x) ? 1 : -1; // what has no value stays last
        const order = isNaN(x) ? xText.localeCompare(yText) : x - y;
        return down ? -order : order;
      });
      table.tBodies[0].append(...rows);
    });
  });
}

for (const box of document.querySelectorAll("input[data-column]")) {
  box.addEventListener("change", () => {
    const cells = `.pool [data-column="${box.dataset.column}"]`;
    for (const cell of document.querySelectorAll(cells)) cell.hidden = !box.checked;
  });
}

document.getElementById("pool")?.addEventListener("change", (event) => {
  for (const pool of document.querySelectorAll(".pool")) {
    pool.hidden = pool.dataset.pool !== event.target.value;
  }
});

const shown = { seed: "seed", score: "score (%)", status: "status", finished: "finished (UTC)",
  seconds: "training (s)", evidence: "evidence", key: "key", run: "run" };
const line = (tag, texts) => texts.map((text) => {
  const cell = document.createElement(tag);
  cell.textContent = text;
  return cell;
});
for (const button of document.querySelectorAll("button.cells")) {
  button.addEventListener("click", () => {
    const dialog = document.getElementById("provenance");
    const cells = data.cells[button.dataset.cells];
    const column = button.closest("td").cellIndex;
    const scenario = button.closest("table").tHead.rows[0].cells[column].textContent;
    dialog.querySelector("h2").textContent =
      `${button.closest("tr").cells[0].textContent.trim()}: ${scenario.trim()}`;
    dialog.querySelector("thead tr").replaceChildren(...line("th", Object.values(shown)));
    dialog.querySelector("tbody").replaceChildren(...cells.map((cell) => {
      const row = document.createElement("tr");
      row.append(...line("td", Object.keys(shown).map((name) =>
        name === "run" ? cell.run + 1 : cell[name])));
      return row;
    }));
    const runs = [...new Set(cells.map((cell) => cell.run))].sort((a, b) => a - b);
    dialog.querySelector("ul").replaceChildren(
      ...line("li", runs.map((run) => `run ${run + 1}: ${data.runs[run]}`)));
    dialog.showModal();
  });
}

const dark = window.matchMedia("(prefers-color-scheme: dark)");
function draw() {
  const [ink, lines] = dark.matches ? ["#e6e8eb", "#363b44"] : ["#1d1f23", "#d9dce1"];
  const words = { labelColor: ink, titleColor: ink };
  const config = {
    background: "transparent", font: "system-ui, DejaVu Sans, sans-serif",
    axis: { ...words, gridColor: lines, domainColor: lines, tickColor: lines },
    legend: words, header: words, title: { color: ink }, text: { color: ink },
    rule: { color: ink }, view: { stroke: lines },
  };
  for (const [kind, spec] of Object.entries(data.figures)) {
    const place = document.getElementById(`figure-${kind}`);
    const fitted = structuredClone(spec);
    if (fitted.columns) {
      const { cell, margin } = fitted.usermeta;
      fitted.columns = Math.max(1, Math.floor((place.clientWidth - margin) / cell));
    }
    vegaEmbed(place, fitted, { config, renderer: "svg", actions: false })
      .then(() => { place.dataset.drawn = "yes"; })
      .catch((error) => { place.textContent = `This figure could not be drawn: ${error}`; });
  }
}
draw();
dark.addEventListener("change", draw);
let waiting;
let width = window.innerWidth;
window.addEventListener("resize", () => {
  if (window.innerWidth === width) return;
  width = window.innerWidth;
  clearTimeout(waiting);
  waiting = setTimeout(draw, 200);
});
