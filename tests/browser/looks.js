// What a reader would trip over. Each function returns a list of sentences: empty where all is well.
(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();

  // Any CSS color as [red, green, blue, alpha], 0 to 255 and 0 to 1: the canvas reads what the style sheet may say.
  function rgba(color) {
    if (!known.has(color)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = "rgba(0, 0, 0, 0)";
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
      known.set(color, [red, green, blue, alpha / 255]);
    }
    return known.get(color);
  }

  const over = ([r, g, b, a], below) => [r, g, b].map((value, i) => a * value + (1 - a) * below[i]);

  function background(element) {
    if (!element) return [255, 255, 255];
    const color = rgba(getComputedStyle(element).backgroundColor);
    return color[3] === 1 ? color.slice(0, 3) : over(color, background(element.parentElement));
  }

  function luminance(color) {
    const [r, g, b] = color.map((value) => value / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  function ratio(one, other) {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  }

  const opacity = (element) => (element ? Number(getComputedStyle(element).opacity) * opacity(element.parentElement) : 1);

  const name = (element) =>
    element.tagName.toLowerCase() + [...element.classList].map((word) => "." + word).join("") + (element.id && "#" + element.id);

  function texts() {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = new Set();
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (!walker.currentNode.textContent.trim() || element.closest("script, style, noscript, option, :disabled")) continue;
      if (element.checkVisibility({ visibilityProperty: true }) && element.getBoundingClientRect().width > 1) found.add(element);
    }
    return [...found];
  }

  // WCAG 2.2, 1.4.3: text against what is behind it. SVG text has its fill, against the chart's paper.
  function faint(least) {
    return texts().flatMap((element) => {
      const style = getComputedStyle(element);
      const behind = background(element);
      const [r, g, b, alpha] = rgba(element.closest("svg") ? style.fill : style.color);
      const found = ratio(over([r, g, b, alpha * opacity(element)], behind), behind);
      return found >= least ? [] : [`${name(element)} "${element.textContent.trim().slice(0, 40)}" has ${found.toFixed(2)}`];
    });
  }

  // What reaches past the right edge of the window, and is not inside a box that scrolls by itself.
  function wide() {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const boxed = (element) => {
      for (let box = element.parentElement; box && box !== document.body; box = box.parentElement)
        if (getComputedStyle(box).overflowX !== "visible") return true;
      return false;
    };
    const past = [...document.body.querySelectorAll("*")].filter(
      (element) => element.getBoundingClientRect().right > width + 0.5 && !boxed(element));
    return [`the page is ${document.documentElement.scrollWidth} px wide in ${width}`, ...past.slice(0, 9).map(name)];
  }

  // Headings: one h1, first; no level is left out on the way down.
  function headings() {
    const found = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter((heading) => heading.checkVisibility());
    const levels = found.map((heading) => Number(heading.tagName[1]));
    const faults = levels.filter((level) => level === 1).length === 1 ? [] : ["there is not one h1"];
    levels.forEach((level, i) => {
      if (level > (levels[i - 1] ?? 0) + 1) faults.push(`h${level} "${found[i].textContent.trim()}" after h${levels[i - 1] ?? 0}`);
    });
    return faults;
  }

  // Charts, buttons and fields that a screen reader could not name.
  function nameless() {
    const said = (element) =>
      element.getAttribute("aria-label")?.trim() || element.getAttribute("aria-labelledby") ||
      element.labels?.length || (element.tagName !== "SELECT" && element.textContent.trim()) || element.title;
    const fields = "button, select, input:not([type=hidden]), textarea, [role=button], [role=tab], [role=slider]";
    const controls = [...document.querySelectorAll(fields)].filter((element) => !element.closest(".js-plotly-plot"));
    const charts = [...document.querySelectorAll(".js-plotly-plot")].filter(
      (chart) => !chart.getAttribute("aria-label")?.trim());
    return [...controls.filter((element) => !said(element)), ...charts].map(name);
  }

  // Words that reach out of the cell or the term they stand in.
  function spilt() {
    const cells = [...document.querySelectorAll("th, td, dt, dd, button, summary, figcaption, label")];
    return cells.filter((cell) => cell.checkVisibility() && cell.clientWidth && cell.scrollWidth > cell.clientWidth + 1)
      .map((cell) => `${name(cell)} "${cell.textContent.trim().slice(0, 40)}" is ${cell.scrollWidth} px wide in ${cell.clientWidth}`);
  }

  const charts = () => [...document.querySelectorAll(".js-plotly-plot")].filter((chart) => chart.checkVisibility());

  // Charts that have drawn nothing: no drawing of some size, or a drawing without a trace.
  function undrawn() {
    return charts().flatMap((chart, i) => {
      const drawing = chart.querySelector("svg.main-svg")?.getBoundingClientRect();
      if (!drawing || drawing.width < 50 || drawing.height < 50) return [`chart ${i} has no drawing`];
      return chart.querySelector(".trace path, .trace .point") ? [] : [`chart ${i} has no trace`];
    });
  }

  // Words in charts that lie on one another, or are cut off by the edge. A few pixels are the white around letters.
  function crowded(slack = 3) {
    const words = (box) => `"${box.text}"`;
    const apart = (a, b) =>
      a.right - slack <= b.left || b.right - slack <= a.left || a.bottom - slack <= b.top || b.bottom - slack <= a.top;
    return charts().flatMap((chart, i) => {
      const edge = chart.getBoundingClientRect();
      const boxes = [...chart.querySelectorAll("svg text")].filter((text) => text.textContent.trim()).map((text) => {
        const { left, right, top, bottom } = text.getBoundingClientRect();
        return { left, right, top, bottom, text: text.textContent };
      });
      const cut = boxes.filter((box) => box.left < edge.left - slack || box.right > edge.right + slack);
      const pairs = boxes.flatMap((a, k) => boxes.slice(k + 1).filter((b) => !apart(a, b)).map((b) => [a, b]));
      return [...cut.map((box) => `chart ${i} cuts ${words(box)}`),
        ...pairs.map(([a, b]) => `chart ${i} has ${words(a)} on ${words(b)}`)];
    });
  }

  window.looks = { faint, wide, headings, nameless, spilt, undrawn, crowded };
})();
