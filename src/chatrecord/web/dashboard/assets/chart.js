// Charts over time: bars that are stacked, or lines. Each has its values on hover and by arrow keys,
// and the same figures as a table.

import { h, svg } from "./elements.js";

const HEIGHT = 190;
const LEFT = 56;
const BOTTOM = 24;
const TOP = 10;

// points: [{ name, values: [number or null, ...] }]; series: their names, drawn in their order.
export function chart({ title, note, points, series, format, kind }) {
  const plot = h("div", { class: "plot" });
  const table = figuresTable(title, points, series, format);
  table.hidden = true;
  const toggle = h("button", { type: "button", class: "quiet", "aria-pressed": "false", onclick: () => {
    const isTable = table.hidden;
    table.hidden = !isTable;
    plot.hidden = isTable;
    toggle.setAttribute("aria-pressed", String(isTable));
  } }, "Table");
  const isShown = kind === "bars" ? (value) => value > 0 : (value) => value !== null; // a line at 0 tells something
  const hasValues = points.some((point) => point.values.some(isShown));
  if (hasValues) drawnToWidth(plot, { title, points, series, format, kind });
  else plot.append(h("p", { class: "empty" }, "Nothing in this time"));
  return h("figure", { class: "card chart" },
    h("figcaption", {}, h("h2", {}, title), note && h("span", { class: "note" }, note), toggle),
    series.length > 1 ? legend(series) : h("div", { class: "legend" }),
    h("div", { class: "chart-body" }, plot, table));
}

function toneOf(series, place) {
  return { Failed: "bad", Negative: "bad", Positive: "good" }[series[place]] ?? `series-${place}`;
}

function legend(series) {
  return h("div", { class: "legend" },
    series.map((name, place) => h("span", {}, h("i", { class: `key ${toneOf(series, place)}` }), name)));
}

function figuresTable(title, points, series, format) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${title} as a table` },
    h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Time (UTC)"),
        series.map((name) => h("th", { scope: "col", class: "number" }, name)))),
      h("tbody", {}, [...points].reverse().map((point) => h("tr", {}, h("th", { scope: "row" }, point.name),
        point.values.map((value) => h("td", { class: "number" }, format(value))))))));
}

function drawnToWidth(plot, given) {
  let width = 0;
  new ResizeObserver(([entry]) => {
    const found = Math.floor(entry.contentRect.width);
    if (found && found !== width) {
      width = found;
      plot.replaceChildren(...drawn(given, width));
    }
  }).observe(plot);
}

function drawn({ title, points, series, format, kind }, width) {
  const inner = { width: width - LEFT - 8, height: HEIGHT - TOP - BOTTOM };
  const step = inner.width / points.length;
  const ticks = ticksTo(highest(points, kind));
  const top = ticks.at(-1);
  const x = (place) => LEFT + (place + 0.5) * step;
  const y = (value) => TOP + inner.height * (1 - value / top);
  const grid = ticks.map((tick) => [
    svg("line", { class: "grid", x1: LEFT, x2: width - 8, y1: y(tick), y2: y(tick) }),
    svg("text", { class: "tick end", x: LEFT - 8, y: y(tick) + 4 }, format(tick)),
  ]);
  const every = Math.ceil(points.length / Math.max(1, Math.floor(inner.width / 76)));
  const names = points.map((point, place) => place % every === Math.floor((every - 1) / 2)
    ? svg("text", { class: "tick middle", x: x(place), y: HEIGHT - 6 }, point.name) : null);
  const marks = kind === "bars" ? bars(points, series, x, y, step) : lines(points, series, x, y);
  const guide = svg("rect", { class: "guide", y: TOP, height: inner.height, width: Math.max(step, 2), visibility: "hidden" });
  const picture = svg("svg", {
    width, height: HEIGHT, role: "img", tabindex: "0",
    "aria-label": `${title}. Arrow keys tell the values, or choose Table.`,
  }, guide, grid, names, marks);
  return [picture, hover(picture, guide, { points, series, format, x, step, width, inner })];
}

function highest(points, kind) {
  const known = points.map(({ values }) => {
    const numbers = values.map((value) => value ?? 0);
    return kind === "bars" ? numbers.reduce((total, value) => total + value, 0) : Math.max(...numbers);
  });
  return Math.max(...known);
}

function ticksTo(most) {
  const rough = (most || 1) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, place) => Number((place * step).toPrecision(12)));
}

function bars(points, series, x, y, step) {
  const width = Math.max(1, Math.min(step * 0.72, 40));
  return points.map(({ values }, place) => {
    let below = 0;
    return values.map((value, number) => {
      if (!value) return null;
      const bar = svg("rect", {
        class: `bar ${toneOf(series, number)}`, x: x(place) - width / 2, width,
        y: y(below + value), height: Math.max(0.5, y(below) - y(below + value)), rx: Math.min(2, width / 4),
      });
      below += value;
      return bar;
    });
  });
}

function lines(points, series, x, y) {
  return series.map((_, number) => {
    const parts = [];
    points.forEach((point, place) => {
      const value = point.values[number];
      if (value === null || value === undefined) return;
      const isJoined = place > 0 && parts.length && points[place - 1].values[number] !== null;
      parts.push(`${isJoined ? "L" : "M"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`);
    });
    const dots = points.map((point, place) => point.values[number] === null ? null
      : svg("circle", { class: `dot ${toneOf(series, number)}`, cx: x(place), cy: y(point.values[number]), r: points.length > 45 ? 1.5 : 2.5 }));
    return [svg("path", { class: `line ${toneOf(series, number)}`, d: parts.join("") }), dots];
  });
}

function hover(picture, guide, { points, series, format, x, step, width, inner }) {
  const tip = h("div", { class: "tip", role: "status", hidden: true });
  let place = points.length - 1;
  const tell = (found) => {
    place = Math.min(points.length - 1, Math.max(0, found));
    const { name, values } = points[place];
    guide.setAttribute("x", x(place) - step / 2);
    guide.setAttribute("visibility", "visible");
    tip.replaceChildren(h("strong", {}, name), ...values.map((value, number) =>
      h("div", {}, h("i", { class: `key ${toneOf(series, number)}` }), `${series[number]} `, h("b", {}, format(value)))));
    tip.hidden = false;
    const isRight = x(place) > width / 2;
    tip.style.left = isRight ? "auto" : `${x(place) + step / 2 + 8}px`;
    tip.style.right = isRight ? `${width - x(place) + step / 2 + 8}px` : "auto";
  };
  const hide = () => {
    tip.hidden = true;
    guide.setAttribute("visibility", "hidden");
  };
  picture.addEventListener("pointermove", (event) => {
    const at = event.clientX - picture.getBoundingClientRect().left - LEFT;
    if (at >= 0 && at <= inner.width) tell(Math.floor(at / step));
  });
  picture.addEventListener("pointerleave", hide);
  picture.addEventListener("blur", hide);
  picture.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -points.length, End: points.length }[event.key];
    if (event.key === "Escape") hide();
    if (steps === undefined) return;
    event.preventDefault();
    tell(tip.hidden ? place : place + steps);
  });
  return tip;
}
