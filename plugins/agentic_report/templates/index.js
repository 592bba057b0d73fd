"use strict";
// The list of runs: lines with all the words that are asked for, in the order of a column.
(() => {
  const table = document.querySelector("table.sorted");
  const [body, heads] = [table.tBodies[0], [...table.tHead.rows[0].cells]];
  const rows = [...body.rows];
  const [asked, within, count] = ["filter", "within", "count"].map((id) => document.getElementById(id));

  const filter = () => {
    const words = asked.value.toLowerCase().split(/\s+/).filter(Boolean);
    rows.forEach((row) => {
      const text = [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
      row.hidden = (row.className === "within" && !within.checked) || !words.every((word) => text.includes(word));
    });
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
  };

  // Numbers before words, and what has no value last, whichever way the others go.
  const compare = (a, b, turn) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const [x, y] = [Number(a), Number(b)];
    if (Number.isNaN(x) || Number.isNaN(y)) return turn * a.localeCompare(b, "en", { numeric: true });
    return turn * (x - y);
  };

  heads.forEach((head, place) => {
    head.querySelector("button").addEventListener("click", () => {
      const turn = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", turn > 0 ? "ascending" : "descending");
      const value = (row) => row.cells[place].dataset.value;
      body.append(...[...rows].sort((a, b) => compare(value(a), value(b), turn)));
    });
  });
  asked.addEventListener("input", filter);
  within.addEventListener("change", filter);
  within.parentElement.hidden = !rows.some((row) => row.className === "within");
  filter();
})();
