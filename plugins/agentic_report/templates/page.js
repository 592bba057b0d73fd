"use strict";
// The theme: that of the system until the button is used. Charts listen for the event "theme".
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const tell = () => {
    button.textContent = dark() ? "Light" : "Dark";
    document.dispatchEvent(new Event("theme"));
  };
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    tell();
  });
  system.addEventListener("change", tell);
  addEventListener("beforeprint", () => document.dispatchEvent(new Event("theme")));
  tell();
})();

// The profile table: the details of the cell under the pointer or the keyboard's focus are said below it.
document.querySelectorAll("table.profile").forEach((table) => {
  const said = table.closest(".box").nextElementSibling;
  const heads = [...table.tHead.rows].at(-1).querySelectorAll("th[title]");
  const cells = [...table.tBodies[0].rows].map((row) => [...row.querySelectorAll("td[title]")]);
  const rows = [[...heads], ...cells];
  const place = (cell) => [rows.findIndex((row) => row.includes(cell)), cell.cellIndex - 1];
  const show = (cell) => {
    if (!said || !said.classList.contains("details")) return;
    table.querySelectorAll(".chosen").forEach((other) => other.classList.remove("chosen"));
    cell.classList.add("chosen");
    said.textContent = cell.title;
  };
  if (cells[0] && cells[0][0]) cells[0][0].tabIndex = 0;
  table.addEventListener("focusin", (event) => event.target.title && show(event.target));
  table.addEventListener("pointerover", (event) => {
    const cell = event.target.closest("td[title], th[title]");
    if (cell) show(cell);
  });
  table.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const cell = event.target.closest("td[title], th[title]");
    if (!step || !cell) return;
    event.preventDefault();
    const [row, column] = place(cell);
    const next = (rows[row + step[0]] || [])[column + step[1]];
    if (!next) return;
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
});

// Of several replays one is shown.
(() => {
  const chooser = document.getElementById("replay");
  const slots = [...document.querySelectorAll("[data-replay]")];
  if (!chooser) return;
  const show = () => slots.forEach((slot) => (slot.hidden = slot.dataset.replay !== chooser.value));
  chooser.addEventListener("change", show);
  show();
})();

// The page of what goes on still looks again, unless it is told not to or something is played.
(() => {
  const seconds = Number(document.getElementById("main").dataset.refresh);
  const stay = document.getElementById("stay");
  if (!seconds) return;
  const look = () => {
    if (!document.querySelector("[data-part='play'][aria-label='Pause']")) location.reload();
  };
  const timer = setInterval(look, 1000 * seconds);
  stay.addEventListener("click", () => {
    clearInterval(timer);
    stay.textContent = "Stopped";
    stay.disabled = true;
  });
})();
