/* Brings every <section class="replay"> of the page to life. Each has its own data and its own state. */
"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const MINUS = "\u2212";
  const [FASTEST, SLOWEST, WHOLE] = [1000 / 30, 400, 8000]; /* ms of a step, and of a whole episode in between */
  const FEW = 8; /* numbers of a leaf that have a row each, and of longer ones that are told */

  /* One element with attributes and children; text is always text. */
  function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  function draw(name, attributes = {}, ...children) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  function figures(value, digits = 3) {
    if (value === null || value === undefined) return "–";
    if (Number.isInteger(value)) return String(value).replace("-", MINUS);
    const short = Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(digits)));
    return short.replace("-", MINUS);
  }

  const sum = (values) => values.reduce((total, value) => total + (value ?? 0), 0);
  const percent = (share) => `${(100 * share).toFixed(2)}%`;
  const color = (index) => `var(--replay-c${1 + (index % 7)})`;

  /* An action in words: names where the world has them, else its numbers, each leaf of a Dict with its name. */
  function spoken(action, names, parts) {
    if (!action) return "";
    if (parts.length === 1 && action.length === 1 && names[action[0]]) return names[action[0]];
    let from = 0;
    const said = parts.map(([name, size, kept]) => {
      const values = action.slice(from, (from += kept));
      return `${called(name, "")} ${listed(values, size, kept)}`.trim();
    });
    return said.join(", ");
  }

  /* Some of the numbers of a leaf, and how many more it has. */
  function listed(values, size, most) {
    const shown = values.slice(0, most).map((value) => figures(value));
    if (size === 1) return shown[0] ?? "–";
    return `(${shown.join(", ")})${size > shown.length ? ` and ${size - shown.length} more` : ""}`;
  }

  /* The name of a leaf, or of a number in it: what has none is what the agent sees, a place in a Tuple is an entry. */
  const called = (label, alone) =>
    label === "" || label.startsWith("[") ? `${alone} ${label}`.trim() : /^\d/.test(label) ? `entry ${label}` : label;

  function sequence(plan, names, parts) {
    const words = plan.map((action) => spoken(action, names, parts));
    return words.length > 6 ? `${words.slice(0, 6).join(" → ")} → …` : words.join(" → ");
  }

  /* ---- worlds ---- */

  function textWorld(frame) {
    const text = frame.map(([piece]) => piece).join("");
    const wide = Math.max(...text.split("\n").map((row) => row.length)) > 13;
    const kind = wide ? "replay-text wide" : "replay-text";
    const picture = make("pre", { class: kind, "aria-label": "The world as text" });
    for (const [piece, style] of frame) {
      const codes = style.split(";").filter(Boolean);
      const classes = codes.map((code) => (code === "agent" ? code : `ansi-${Number(code)}`));
      picture.append(classes.length ? make("span", { class: classes.join(" ") }, piece) : piece);
    }
    return picture;
  }

  function stage(x, y, width, height, label, ...shapes) {
    const box = `${x} ${y} ${width} ${height}`;
    return draw("svg", { viewBox: box, role: "img", "aria-label": label, class: "replay-stage" }, ...shapes);
  }

  const line = (x1, y1, x2, y2, width, extra = {}) =>
    draw("line", { x1, y1, x2, y2, "stroke-width": width, class: "ink", ...extra });
  const disc = (cx, cy, r, kind = "accent") => draw("circle", { cx, cy, r, class: kind });

  const DRAWINGS = {
    cartpole(obs, action) {
      const [x, , angle] = obs;
      const shapes = [line(-2.4, 0.12, 2.4, 0.12, 0.02, { class: "rule" })];
      for (const edge of [-2.4, 2.4]) shapes.push(line(edge, 0.02, edge, 0.22, 0.03, { class: "rule" }));
      shapes.push(draw("rect", { x: x - 0.25, y: -0.12, width: 0.5, height: 0.24, rx: 0.04, class: "body" }));
      shapes.push(line(x, -0.1, x + Math.sin(angle), -0.1 - Math.cos(angle), 0.08, { class: "accent-line" }));
      if (action) {
        const side = action[0] ? 1 : -1;
        const tip = x + side * 0.62;
        shapes.push(line(x + side * 0.28, 0, tip, 0, 0.04));
        shapes.push(draw("path", { d: `M${tip} -0.07 L${tip + side * 0.12} 0 L${tip} 0.07 Z`, class: "ink-fill" }));
      }
      return stage(-2.7, -1.3, 5.4, 1.6, "Cart and pole", ...shapes);
    },
    pendulum(obs, action) {
      const [cos, sin] = obs;
      const rod = line(0, 0, -sin, -cos, 0.14, { class: "accent-line" });
      const shapes = [disc(0, 0, 1, "orbit"), rod, disc(0, 0, 0.06, "body")];
      if (action) {
        const width = Math.abs(action[0]) / 2;
        const x = action[0] > 0 ? -width : 0; /* positive torque turns counterclockwise, to the left */
        shapes.push(draw("rect", { x, y: 1.2, width, height: 0.12, class: "ink-fill" }), line(0, 1.15, 0, 1.37, 0.02));
      }
      return stage(-1.5, -1.2, 3, 2.7, "Pendulum, its torque below", ...shapes);
    },
    mountaincar(obs) {
      const height = (x) => -(Math.sin(3 * x) * 0.45 + 0.55);
      const places = Array.from({ length: 61 }, (_, i) => -1.2 + (1.8 * i) / 60);
      const hills = places.map((x) => `${x},${height(x)}`).join(" ");
      const flag = [line(0.5, height(0.5), 0.5, height(0.5) - 0.2, 0.012), disc(0.5, height(0.5) - 0.2, 0.03, "good")];
      const ground = draw("polyline", { points: hills, class: "rule", fill: "none", "stroke-width": 0.012 });
      const car = disc(obs[0], height(obs[0]) - 0.04, 0.045);
      return stage(-1.25, -1.35, 1.9, 1.35, "Car in a valley", ground, ...flag, car);
    },
    acrobot(obs) {
      const [first, second] = [Math.atan2(obs[1], obs[0]), Math.atan2(obs[3], obs[2])];
      const [x, y] = [Math.sin(first), Math.cos(first)];
      const [tipX, tipY] = [x + Math.sin(first + second), y + Math.cos(first + second)];
      const goal = line(-2.1, -1, 2.1, -1, 0.02, { class: "rule" });
      const links = [line(0, 0, x, y, 0.12, { class: "body-line" }), line(x, y, tipX, tipY, 0.12, { class: "accent-line" })];
      return stage(-2.2, -2.2, 4.4, 4.4, "Two links, the goal height as a line", goal, ...links, disc(0, 0, 0.08, "body"));
    },
  };

  function barsWorld(obs, ranges, names) {
    const rows = obs.map((value, i) => track(called(names[i], "number"), ranges[i], value, null));
    return make("div", { class: "replay-rows" }, ...rows);
  }

  /* What the world drew, or what was observed: each picture is decoded once. */
  class Pictures {
    constructor({ name, urls, places }) {
      [this.name, this.urls, this.places, this.kept] = [name, urls, places, new Map()];
    }

    at(episode, t) {
      const place = this.places[episode][t];
      if (!this.kept.has(place)) {
        const drawn = this.name === null;
        const alt = drawn ? "The world as it draws itself" : `Observed: ${called(this.name, "the picture")}`;
        const kind = drawn ? "replay-picture" : "replay-picture observed";
        this.kept.set(place, make("img", { src: this.urls[place], alt, class: kind, decoding: "sync" }));
      }
      return this.kept.get(place);
    }
  }

  /* ---- rows ---- */

  /* A number on the range it has over the episode, with two standard deviations to each side where there are any. */
  function track(label, range, value, deviation) {
    const [low, high] = range;
    const place = (x) => (high > low ? Math.min(1, Math.max(0, (x - low) / (high - low))) : 0.5);
    const rail = make("div", { class: "replay-rail" });
    if (value !== null) {
      if (deviation !== null && deviation !== undefined) {
        const [from, to] = [place(value - 2 * deviation), place(value + 2 * deviation)];
        rail.append(make("i", { class: "spread", style: `left:${percent(from)};width:${percent(to - from)}` }));
      }
      rail.append(make("i", { class: "dot", style: `left:${percent(place(value))}` }));
    }
    const spread = deviation ? ` ± ${figures(2 * deviation, 2)}` : "";
    return make("div", { class: "replay-row" }, make("span", {}, label), rail, make("b", {}, figures(value) + spread));
  }

  function factorBars(levels, size, label) {
    const chances = new Map(levels);
    const title = `${label}: ${levels.map(([i, p]) => `${i} with ${figures(p, 2)}`).join(", ")}`;
    if (size > 64) {
      const best = [...levels].sort((a, b) => b[1] - a[1]).slice(0, 8);
      return make("div", { class: "replay-rows", "aria-label": title }, ...best.map(([i, p]) => share(`level ${i}`, p)));
    }
    const bars = Array.from({ length: size }, (_, i) => {
      const fill = make("i", { style: `height:${percent(chances.get(i) ?? 0)}` });
      const number = size <= 16 || i % 5 === 0 ? `${i}` : "";
      return make("span", { title: `${i}: ${figures(chances.get(i) ?? 0)}` }, make("u", {}, fill), make("small", {}, number));
    });
    return make("div", { class: "replay-factor", role: "img", "aria-label": title }, ...bars);
  }

  function share(label, value) {
    const rail = make("div", { class: "replay-rail" }, make("i", { class: "share", style: `width:${percent(value)}` }));
    return make("div", { class: "replay-row" }, make("span", {}, label), rail, make("b", {}, figures(value)));
  }

  /* Terms side by side from zero: what lowers the energy to the left, what raises it to the right. */
  function stack(terms, [low, high], labels) {
    const place = (x) => (x - low) / (high - low || 1);
    const rail = make("div", { class: "replay-stack", role: "img" });
    let [left, right] = [0, 0];
    terms.forEach((term, i) => {
      if (!term) return;
      const from = term < 0 ? left + term : right;
      if (term < 0) left += term; else right += term;
      const style = `left:${percent(place(from))};width:${percent(Math.abs(term) / (high - low || 1))};background:${color(i)}`;
      rail.append(make("i", { style, title: `${labels[i]}: ${figures(term)}` }));
    });
    rail.append(make("i", { class: "zero", style: `left:${percent(place(0))}` }));
    rail.append(make("i", { class: "total", style: `left:${percent(place(sum(terms)))}` }));
    rail.setAttribute("aria-label", terms.map((term, i) => `${labels[i]} ${figures(term)}`).join(", "));
    return rail;
  }

  function extent(plans) {
    let [low, high] = [0, 0];
    for (const [, , terms] of plans.flat()) {
      low = Math.min(low, sum(terms.filter((term) => term < 0)));
      high = Math.max(high, sum(terms.filter((term) => term > 0)));
    }
    return [low, high];
  }

  /* ---- lines over the episode ---- */

  function sparkline(name, values, last) {
    const known = values.filter((value) => value !== null);
    if (!known.length) return null;
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const x = (t) => (100 * t) / (last || 1);
    const y = (value) => (high > low ? 26 - (24 * (value - low)) / (high - low) : 14);
    let pen = "M";
    let path = "";
    values.forEach((value, t) => {
      if (value === null) { pen = "M"; return; }
      path += `${pen}${x(t).toFixed(2)} ${y(value).toFixed(2)}`;
      pen = "L";
    });
    const cursor = draw("line", { y1: 0, y2: 28, class: "cursor" });
    const curve = draw("path", { d: path, fill: "none" });
    const about = `${name} over the episode, from ${figures(low)} to ${figures(high)}`;
    const chart = draw("svg", { viewBox: "0 0 100 28", preserveAspectRatio: "none", role: "img", "aria-label": about });
    chart.append(curve, cursor);
    const now = make("b");
    const row = make("div", { class: "replay-spark", title: about }, make("span", {}, name), chart, now);
    return { row, move(t) {
      cursor.setAttribute("x1", x(t));
      cursor.setAttribute("x2", x(t));
      now.textContent = figures(values[t]);
    } };
  }

  const CURVES = ["free_energy", "accuracy", "complexity", "expected_energy"];

  function curves(episode) {
    let total = 0;
    const returns = [0, ...episode.reward.map((reward) => (total += reward ?? 0))];
    const found = CURVES.filter((name) => episode.energies[name]);
    const last = episode.action.length;
    const rows = found.map((name) => sparkline(name.replace("_", " "), episode.energies[name], last));
    return { returns, rows: [...rows, sparkline("reward so far", returns, last)].filter(Boolean) };
  }

  /* ---- one replay ---- */

  class Replay {
    constructor(root) {
      this.root = root;
      this.data = JSON.parse(root.querySelector("script").textContent);
      this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
      this.timer = null;
      this.albums = this.data.albums.map((album) => new Pictures(album));
      this.listen();
      this.parts.note.textContent = this.data.note ?? "";
      this.data.terms.forEach((term, i) => {
        this.parts.legend.append(make("span", {}, make("i", { style: `background:${color(i)}` }), term));
      });
      this.parts.episode.parentElement.hidden = this.data.episodes.length === 1;
      this.data.episodes.forEach((each, i) => {
        const paid = figures(sum(each.reward));
        this.parts.episode.append(make("option", { value: i }, `${i}: return ${paid}${each.end === "cut here" ? " so far" : ""}`));
      });
      this.parts.episode.value = this.data.opens;
      this.begin(this.data.opens);
    }

    listen() {
      const { back, next, play, slider, episode } = this.parts;
      back.addEventListener("click", () => this.go(this.t - 1));
      next.addEventListener("click", () => this.go(this.t + 1));
      play.addEventListener("click", () => (this.timer === null ? this.play() : this.pause()));
      slider.addEventListener("input", () => this.go(Number(slider.value)));
      episode.addEventListener("change", () => this.begin(Number(episode.value)));
      this.root.addEventListener("keydown", (event) => this.key(event));
    }

    key(event) {
      if (event.target !== this.root && event.target.closest("input, select, button")) return;
      const moves = { ArrowLeft: this.t - 1, ArrowRight: this.t + 1, Home: 0, End: this.last };
      if (event.key in moves) this.go(moves[event.key]);
      else if (event.key === " ") this.parts.play.click();
      else return;
      event.preventDefault();
    }

    begin(index) {
      this.pause();
      this.index = index;
      this.episode = this.data.episodes[index];
      this.last = this.episode.action.length;
      this.parts.slider.max = this.last;
      this.extent = extent(this.episode.plans);
      const columns = this.episode.obs[0].map((_, i) => this.episode.obs.map((obs) => obs[i]));
      this.ranges = columns.map((column) => [Math.min(...column), Math.max(...column)]);
      const { returns, rows } = curves(this.episode);
      this.returns = returns;
      this.curves = rows;
      this.parts.energies.replaceChildren(...rows.map((each) => each.row));
      this.go(0);
    }

    play() {
      if (this.t >= this.last) this.go(0);
      const pace = Math.min(SLOWEST, Math.max(FASTEST, WHOLE / this.last));
      this.timer = setInterval(() => this.go(this.t + 1, true), pace);
      this.button("⏸", "Pause");
    }

    pause() {
      clearInterval(this.timer);
      this.timer = null;
      this.button("▶", "Play");
    }

    button(sign, label) {
      this.parts.play.textContent = sign;
      this.parts.play.setAttribute("aria-label", label);
    }

    go(t, playing = false) {
      this.t = Math.min(this.last, Math.max(0, t));
      if (!playing || this.t === this.last) this.pause();
      this.parts.slider.value = this.t;
      this.parts.time.textContent = `step ${this.t} of ${this.last}`;
      this.parts.slider.setAttribute("aria-valuetext", this.parts.time.textContent);
      this.showWorld();
      this.showNow();
      this.showBelief();
      this.showPlans();
      this.curves.forEach((each) => each.move(this.t));
    }

    showWorld() {
      const { scene, frames, observations, seen } = this.data;
      const [obs, action] = [this.episode.obs[this.t], this.episode.action[this.t]];
      const left = sum(seen.map(([, size, kept]) => size - kept));
      let pictures;
      if (scene === "text") pictures = [textWorld(frames[this.episode.frame[this.t]])];
      else if (scene === "frames") pictures = [this.albums[0].at(this.index, this.t)];
      else if (scene === "seen") pictures = this.albums.map((album) => album.at(this.index, this.t));
      else if (DRAWINGS[scene]) pictures = [DRAWINGS[scene](obs, action)];
      else pictures = [barsWorld(obs, this.ranges, observations), ...(left ? [`and ${left} more`] : [])];
      this.parts.world.replaceChildren(...pictures);
    }

    showNow() {
      const { actions, done, scene, seen, observations } = this.data;
      const [obs, action] = [this.episode.obs[this.t], this.episode.action[this.t]];
      const rows = [];
      const tell = (name, value) => rows.push(make("dt", {}, name), make("dd", {}, value));
      let [from, left] = [0, 0];
      for (const [name, size, kept] of seen) {
        const [values, labels] = [obs.slice(from, from + kept), observations.slice(from, from + kept)];
        from += kept;
        if (!kept) left += size;
        else if (size > FEW) tell(called(name, "sees"), listed(values, size, FEW));
        else values.forEach((value, i) => tell(called(labels[i], "sees"), figures(value, 4)));
      }
      if (left) tell("…", `and ${left} more`);
      if (scene !== "seen") {
        for (const album of this.albums.filter(({ name }) => name !== null)) {
          tell(called(album.name, "sees"), album.at(this.index, this.t));
        }
      }
      Object.entries(this.episode.texts).forEach(([name, texts]) => tell(called(name, "reads"), `“${texts[this.t]}”`));
      tell("does", action ? spoken(action, actions, done) : `nothing: ${this.episode.end}`);
      tell("gets", action ? figures(this.episode.reward[this.t]) : "–");
      tell("reward so far", figures(this.returns[this.t]));
      this.parts.now.replaceChildren(...rows);
    }

    showBelief() {
      const [about, belief] = [this.data.belief, this.episode.belief[this.t]];
      const rows = [];
      if (!about) rows.push(make("p", { class: "replay-note" }, "This agent reports no belief."));
      else if (!belief) rows.push(make("p", { class: "replay-note" }, "None at this step."));
      else if (about.kind === "factors") {
        belief.forEach((levels, i) => {
          const label = about.names[i] ?? (about.sizes.length > 1 ? `factor ${i}` : "hidden state");
          rows.push(make("small", {}, label), factorBars(levels, about.sizes[i], label));
        });
      } else {
        belief[0].forEach((value, i) => {
          const range = [about.range[0][i], about.range[1][i]];
          const label = about.same ? called(this.data.observations[i], "sees") : `z[${i}]`;
          rows.push(track(label, range, value, belief[1][i]));
        });
        if (about.left) rows.push(make("small", {}, `and ${about.left} more`));
      }
      this.parts.belief.replaceChildren(...rows);
    }

    showPlans() {
      const [plans, action] = [this.episode.plans[this.t] ?? [], JSON.stringify(this.episode.action[this.t])];
      const rows = plans.map(([plan, probability, terms]) => {
        const chosen = JSON.stringify(plan[0]) === action;
        const name = make("span", { class: "name" }, `${chosen ? "▸ " : ""}${sequence(plan, this.data.actions, this.data.done)}`);
        const rare = probability > 0 && probability < 0.001;
        const chance = probability === null ? "" : rare ? "< 0.001" : figures(probability, 2);
        const bar = make("i", { class: "chance", style: `width:${percent(probability ?? 0)}` });
        const label = make("div", { class: "replay-plan-name" }, bar, name);
        const energy = make("b", {}, figures(terms.includes(null) ? null : sum(terms), 4));
        const cells = [label, make("em", {}, chance), stack(terms, this.extent, this.data.terms), energy];
        return make("div", { class: chosen ? "replay-plan chosen" : "replay-plan" }, ...cells);
      });
      let none = this.t === this.last ? "The episode is over." : "No plan was recorded at this step.";
      if (!this.data.terms.length) none = "This agent reports no plan.";
      this.parts.plans.replaceChildren(...(rows.length ? rows : [make("p", { class: "replay-note" }, none)]));
    }
  }

  for (const root of document.querySelectorAll("section.replay")) new Replay(root);
})();
