// Figures by model, user or another column, as a table that can be sorted, with bars.

import { h, heading, placed } from "./elements.js";
import { count, money, percent, short, time } from "./figures.js";
import { negativeLink, share, withRatings } from "./ratings.js";

const COLUMNS = [
  ["Cost", (row) => row.cost, money],
  ["Requests", (row) => row.requests, count],
  ["Failed", (row) => row.requests ? row.failed / row.requests : null, percent],
  ["Input", (row) => row.input, short],
  ["Output", (row) => row.output, short],
  ["Latency p50", (row) => row.latency?.p50, time],
  ["p95", (row) => row.latency?.p95, time],
  ["First token p50", (row) => row.first?.p50, time],
];
const RATINGS = [
  ["Rated good", (row) => row.rated && row.rated.positive / row.rated.count, (_, row) => share(row.rated)],
  ["Rated bad", (row) => row.rated?.negative, negative],
];
const KINDS = { title: "Titles", summary: "Summaries", embedding: "Embeddings", image: "Images" };

export function groupsTable(given, by, context) {
  const found = withRatings(given);
  if (!found.rows.length) return [h("p", { class: "empty" }, "No requests in this time")];
  const hasCost = found.rows.some((row) => row.cost);
  const place = h("div");
  const draw = (sorted) => place.replaceChildren(table(found, by, context, sorted, choose));
  const choose = (sorted) => {
    context.sortedBy = sorted; // also when more figures come, and the table is drawn anew
    draw(sorted);
    place.querySelector("[aria-sort] .sort").focus();
  };
  draw(context.sortedBy ?? (hasCost ? 0 : 1));
  const isCut = given.rows.length === found.most;
  const notes = [isCut && `The ${found.most} with the highest cost`, found.timed].filter(Boolean).join(". ");
  return [place, h("p", { class: "note" }, notes)];
}

function table(found, by, context, sorted, choose) {
  const columns = found.ratings ? [...COLUMNS, ...RATINGS] : COLUMNS;
  const [, valueOf] = columns[sorted];
  const rows = [...found.rows].sort((a, b) => (valueOf(b) ?? -1) - (valueOf(a) ?? -1));
  const most = Math.max(...rows.map((row) => valueOf(row) ?? 0)) || 1;
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Figures by group" },
    h("table", { class: "groups" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, heading(by)),
        columns.map(([name], number) => h("th", { scope: "col", class: "number", "aria-sort": number === sorted ? "descending" : null },
          h("button", { type: "button", class: "sort", onclick: () => choose(number) }, name))))),
      h("tbody", {}, rows.map((row) => h("tr", {},
        h("th", { scope: "row" }, named(row.by[0], found, by, context),
          h("div", { class: "meter" }, placed(h("i", {}), 0, (100 * (valueOf(row) ?? 0)) / most))),
        columns.map(([name, value, format]) => h("td", { class: `number${name === "Failed" && row.failed ? " bad" : ""}` }, format(value(row), row, by, context))))))));
}

function negative(value, row, by, { about, parameters }) {
  const [group] = row.by;
  if (!value || group === null || !about.columns.includes(by)) return count(value);
  return negativeLink(count(value), parameters, { column: by, value: group });
}

function named(value, found, by, { about }) {
  if (by === "kind") return value === null ? "Answers" : KINDS[value] ?? heading(value);
  if (value === null) return h("span", { class: "note" }, "none");
  const name = found.names[value] ?? String(value);
  if (about.columns.includes(by)) {
    const query = new URLSearchParams({ column: by, value });
    return h("a", { href: `#/chats?${query}` }, name);
  }
  if (by === "model") return h("a", { href: `#/requests?${new URLSearchParams({ model: value })}` }, name);
  return name;
}
