// What the page can do: change its theme, sort its tables, draw its charts.
"use strict";

const root = document.documentElement;

function isDark() {
  return (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
}

function nameThemeButton(button) {
  button.textContent = isDark() ? "Light theme" : "Dark theme";
}

function changeTheme(button) {
  root.dataset.theme = isDark() ? "light" : "dark";
  try {
    sessionStorage.setItem("primerace-theme", root.dataset.theme);
  } catch {} // storage may be switched off: then the choice lasts for this page
  nameThemeButton(button);
}

// Numbers by size, texts by letter; what is missing stays last in either direction.
function compare(left, right, direction) {
  if (left === "" || right === "") return (left === "") - (right === "");
  const difference = Number(left) - Number(right);
  return direction * (Number.isNaN(difference) ? left.localeCompare(right) : difference);
}

function sort(header) {
  const table = header.closest("table");
  const body = table.tBodies[0];
  const direction = header.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const value = (row) => row.cells[header.cellIndex].dataset.value;
  const rows = [...body.rows].sort((left, right) => compare(value(left), value(right), direction));
  body.append(...rows);
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
}

async function draw(figure, config) {
  const place = figure.querySelector(".canvas");
  const specification = JSON.parse(figure.querySelector("script").textContent);
  try {
    // ast: expressions are interpreted, so that the page can forbid eval
    await vegaEmbed(place, specification, { config, actions: false, ast: true, renderer: "svg" });
    figure.dataset.drawn = "";
  } catch (error) {
    place.textContent = `This chart could not be drawn: ${error.message}`;
    place.classList.add("failed");
  }
}

async function drawAll() {
  const config = JSON.parse(document.querySelector("#chart-config")?.textContent ?? "{}");
  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    await draw(figure, config);
    await new Promise((resume) => setTimeout(resume)); // let the page scroll between two charts
  }
  root.dataset.ready = Math.round(performance.now()); // milliseconds since the page was asked for
}

const button = document.querySelector(".theme");
nameThemeButton(button);
button.hidden = false;
button.addEventListener("click", () => changeTheme(button));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => nameThemeButton(button));
for (const header of document.querySelectorAll("th button")) {
  header.addEventListener("click", () => sort(header.closest("th")));
}
drawAll();
