// How people rated answers: as a share, a chart, and the latest that they rated bad.

import { chart } from "./chart.js";
import { h } from "./elements.js";
import { count, moment, percent, short, sum } from "./figures.js";

const LATEST = 4;

export function verdict({ value }) {
  const said = value > 0 ? "Rated good" : value < 0 ? "Rated bad" : "Rated";
  return h("span", { class: `badge ${value > 0 ? "complete" : value < 0 ? "failed" : ""}` }, `${said} (${value})`);
}

export function linked(one, chats) {
  return h("a", { href: `#/chats/${one.chat_id}` }, chats[one.chat_id]?.title || "Untitled chat");
}

// The share of positive ratings among all: "82 % of 50".
export function share(rated) {
  return rated?.count ? `${percent(rated.positive / rated.count)} of ${count(rated.count)}` : "–";
}

export function totalOf(ratings) {
  const [all, positive] = ["count", "positive"].map((name) => sum(ratings.map((row) => row[name])) ?? 0);
  return { count: all, positive };
}

// Answers may be rated when nothing is asked: their groups have ratings only.
export function withRatings(found) {
  if (!found.ratings) return found;
  const keyOf = (row) => JSON.stringify(row.by[0]);
  const rated = new Map(found.ratings.map((row) => [keyOf(row), row]));
  const known = new Set(found.rows.map(keyOf));
  const others = found.ratings.filter((row) => !known.has(keyOf(row))).slice(0, found.most);
  return {
    ...found,
    rows: [
      ...found.rows.map((row) => ({ ...row, rated: rated.get(keyOf(row)) })),
      ...others.map((row) => ({ by: row.by, requests: 0, failed: 0, rated: row })),
    ],
  };
}

// The page of negative feedback, about the same time as this page.
export function negativeLink(label, parameters, more = {}) {
  const query = new URLSearchParams(more);
  for (const name of ["days", "from", "to"]) if (parameters.get(name)) query.set(name, parameters.get(name));
  return h("a", { href: `#/feedback?${query}` }, label);
}

export function ratingsChart(points) {
  return chart({ title: "Ratings", series: ["Positive", "Negative"], format: short, kind: "bars", points });
}

// Next to the chart of ratings.
export function latestNegative({ feedback, chats }, { parameters }) {
  const latest = feedback.slice(0, LATEST);
  return h("section", { class: "card chart", "aria-label": "Negative feedback" },
    h("div", { class: "heading" }, h("h2", {}, "Negative feedback"), latest.length ? negativeLink("All", parameters) : null),
    latest.length ? h("ul", { class: "latest", tabindex: "0" }, latest.map((one) => h("li", {},
      h("p", {}, linked(one, chats), h("span", { class: "note" }, ` · ${moment(one.created_at)}`)),
      h("p", { class: one.comment ? null : "note" }, one.comment ?? "No comment"))))
      : h("p", { class: "empty" }, "None in this time"));
}
