// What the page does beyond being read: charts, and choosing rows and cells.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  document.documentElement.classList.add("runs");
  const all = (selector, root) => [...(root || document).querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const steps = data.verdicts[0] ? data.verdicts[0].packets.length : 0;
  // Dates say nothing below a second: time counts from the start there.
  const short = data.step * steps < 5;
  const origin = short ? 0 : data.start;
  const at = (step) => origin + step * data.step;
  const times = Array.from({ length: steps }, (_, step) => at(step));
  const utc = (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC");
  const length = data.step * steps;
  const [unit, units] = length < 2e-3 ? [1e6, " µs"] : length < 2 ? [1e3, " ms"] : [1, " s"];
  const since = (seconds) => +(seconds * unit).toPrecision(6) + units;
  const moment = (seconds) => {
    if (short) return since(seconds);
    const text = new Date(seconds * 1e3).toISOString().replace("T", " ").replace("Z", "");
    return Number.isInteger(data.step) ? text.slice(0, 19) : text;
  };
  const number = (value) => (value == null ? "–" : value.toLocaleString("en-US"));
  const brief = (value) => {
    for (const [unit, name] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
      if (value >= unit) return +(value / unit).toPrecision(3) + name;
    }
    return String(+value.toPrecision(3));
  };
  // Below the first one stands its day.
  const label = (tick, index, increment) => {
    if (short) return since(tick);
    const text = new Date(tick * 1e3).toISOString();
    const [day, time] = [text.slice(0, 10), text.slice(11, 19)];
    if (increment >= 86400) return day;
    const digits = increment < 1 ? text.slice(11, 23) : increment < 60 ? time : time.slice(0, 5);
    return index === 0 ? digits + "\n" + day : digits;
  };
  const draws = [];

  // Draws into a box, again whenever its width or the colours change.
  const chart = (box, options, values) => {
    let plot = null;
    let width = 0;
    const draw = () => {
      width = box.clientWidth;
      if (plot) plot.destroy();
      box.textContent = "";
      if (width < 40) return;
      const axis = { stroke: color("--faint"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 } };
      const [series, table] = values();
      plot = new uPlot({
        width,
        height: width < 500 ? 220 : 280,
        padding: [12, 28, 0, 0],
        tzDate: utc,
        legend: { live: true },
        cursor: { y: false, drag: { x: true, y: false } },
        scales: { x: { time: !short, range: (u, min, max) => [min, max > min ? max : min + data.step] }, y: { range: (u, min, max) => [0, Math.max(1, max * 1.05)] } },
        axes: [
          { ...axis, space: 70, values: (u, ticks, index, space, increment) => ticks.map((tick, number) => label(tick, number, increment)) },
          { ...axis, size: 56, values: (u, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? brief(tick) : "")) },
        ],
        series: [{ label: "from", value: (u, value) => (value == null ? "–" : moment(value)) }, ...series],
        ...options,
      }, [...table], box);
    };
    draws.push(draw);
    new ResizeObserver(() => { if (box.clientWidth !== width) draw(); }).observe(box);
    draw();
    return draw;
  };

  // The timeline: verdicts on top of each other, or one kind of drop alone.
  const timelineBox = one("#timeline-chart");
  if (timelineBox && steps) {
    const verdicts = data.verdicts.map((verdict) => ({ ...verdict, shown: true, color: "--" + verdict.name.toLowerCase().replace(/ /g, "-") }));
    let chosen = null;
    const values = () => {
      const shown = chosen == null ? verdicts.filter((verdict) => verdict.shown) : [{ ...data.drops[chosen], color: "--dropped" }];
      const total = new Array(steps).fill(0);
      const stacked = shown.map((kind) => kind.packets.map((packets, step) => (total[step] += packets)));
      // What is below is painted later, over what reaches higher.
      const order = shown.map((_, kind) => kind).reverse();
      const series = order.map((kind) => ({
        label: shown[kind].name,
        stroke: color(shown[kind].color),
        fill: color(shown[kind].color),
        width: 0,
        paths: uPlot.paths.bars({ size: [1, Infinity], align: 1, gap: steps < 120 ? 1 : 0 }),
        points: { show: false },
        value: (u, value, index, step) => number(step == null ? null : shown[kind].packets[step]),
      }));
      // One more step, so that the last one has its width.
      const padded = order.map((kind) => [...stacked[kind], null]);
      return [series, [[...times, at(steps)], ...padded]];
    };
    const draw = chart(timelineBox, {}, values);
    const says = one("#timeline-says");
    const usual = says.textContent;
    const toggles = one("#verdicts");
    for (const verdict of verdicts) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = verdict.name;
      button.style.setProperty("--own", "var(" + verdict.color + ")");
      button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", () => {
        verdict.shown = !verdict.shown;
        button.setAttribute("aria-pressed", String(verdict.shown));
        choose(null);
      });
      toggles.append(button);
    }
    const choose = (drop) => {
      chosen = drop;
      says.textContent = drop == null ? usual : "Packets in each step of " + data.length + " dropped for " + data.drops[drop].name;
      for (const row of all("tr[data-drop]")) {
        const own = drop != null && row.dataset.drop === String(drop);
        row.classList.toggle("chosen", own);
        one("tr[data-drop='" + row.dataset.drop + "'] button").setAttribute("aria-pressed", String(own));
      }
      draw();
    };
    for (const row of all("tr[data-drop]")) {
      row.addEventListener("click", () => {
        const drop = Number(row.dataset.drop);
        choose(chosen === drop ? null : drop);
      });
    }
  }

  const usageBox = one("#usage-chart");
  if (usageBox && steps) {
    chart(usageBox, {}, () => [
      data.usage.map((kind, which) => ({
        label: kind.name,
        stroke: color("--s" + (which % 6)),
        width: 2,
        dash: [[], [8, 4], [2, 3], [10, 3, 2, 3]][which % 4],
        spanGaps: true,
        points: { show: steps < 60, size: 5 },
        value: (u, value) => number(value),
      })),
      [[...times, at(steps)], ...data.usage.map((kind) => [...kind.count, null])],
    ]);
  }

  // The next cell in a direction; of a table one cell is a tab stop, arrows lead to the others.
  const arrows = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
  const nextCell = (cell, [down, right]) => {
    let row = cell.closest("tr");
    let column = cell.closest("td").cellIndex;
    while (row) {
      if (down) row = down > 0 ? row.nextElementSibling : row.previousElementSibling;
      column += right;
      if (!row || column < 1 || column >= row.cells.length) return null;
      const found = row.cells[column].querySelector(".cell");
      if (found) return found;
    }
    return null;
  };

  // A cell tells its numbers below its table.
  for (const section of all("#talks, #reach")) {
    const detail = section.querySelector(".detail");
    const cells = all("td .cell", section);
    for (const cell of cells) {
      cell.tabIndex = cell === cells[0] ? 0 : -1;
      cell.addEventListener("keydown", (event) => {
        const next = arrows[event.key] && nextCell(cell, arrows[event.key]);
        if (!next) return;
        event.preventDefault();
        cell.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      });
      cell.addEventListener("click", () => {
        for (const other of cells) other.removeAttribute("aria-pressed");
        cell.setAttribute("aria-pressed", "true");
        detail.textContent = cell.dataset.told;
      });
    }
  }

  const more = one("#more");
  if (more) {
    const table = one("table.drops");
    table.classList.add("folded");
    more.addEventListener("click", () => {
      table.classList.remove("folded");
      more.remove();
    });
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draws.forEach((draw) => draw()));
})();
