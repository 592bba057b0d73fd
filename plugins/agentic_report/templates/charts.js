"use strict";
// Each figure holds its views as JSON; colors are names of custom properties, resolved for the theme in use.
(() => {
  const probe = document.body.appendChild(document.createElement("span"));
  probe.hidden = true;
  const color = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const themed = (value) => {
    if (typeof value === "string") return value.startsWith("--") ? color(value) : value;
    if (Array.isArray(value)) return value.map(themed);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, themed(part)]));
    }
    return value;
  };
  const frame = () => ({
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: color("--fg") },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 8, r: 12, t: 12, b: 8 },
    hoverlabel: { bgcolor: color("--panel"), bordercolor: color("--line"), font: { color: color("--fg") } },
    legend: { orientation: "h", y: 0, yref: "container", yanchor: "bottom", x: 0 },
    dragmode: false,
  });
  const figures = [...document.querySelectorAll("figure.chart")].map((figure) => ({
    place: figure.querySelector(".drawing"),
    views: JSON.parse(figure.querySelector("script").textContent),
    chooser: figure.querySelector("select"),
  }));
  const draw = ({ place, views, chooser }) => {
    const view = views[chooser ? Number(chooser.value) : 0];
    place.setAttribute("aria-label", view.described);
    const named = innerWidth < 600 ? view.data.filter((trace) => trace.showlegend !== false).length : 0;
    const layout = { ...frame(), ...themed(view.layout), height: view.layout.height + 18 * named };
    Plotly.react(place, themed(view.data), layout, {
      displayModeBar: false,
      responsive: true,
      showTips: false,
    });
  };
  figures.forEach((figure) => {
    draw(figure);
    if (figure.chooser) figure.chooser.addEventListener("change", () => draw(figure));
  });
  document.addEventListener("theme", () => figures.forEach(draw));
})();
