// The time that a page is about.

import { h, select } from "./elements.js";

const DAY = 86_400_000;
const RANGES = [
  ["1", "24 hours"], ["7", "7 days"], ["30", "30 days"], ["90", "90 days"], ["365", "12 months"], ["own", "From … to"],
];

export function rangeOf(parameters) {
  const days = parameters.get("days") ?? "30";
  if (days === "own") {
    const until = parameters.get("to") ? new Date(Date.parse(parameters.get("to")) + DAY) : null;
    const last = until ?? new Date();
    const since = parameters.get("from") ? new Date(parameters.get("from")) : new Date(last - 30 * DAY);
    return range(since, until, (last - since) / DAY);
  }
  if (days === "1") return range(startOf(Date.now() - DAY, 3_600_000), null, 1);
  return range(startOf(Date.now() - (Number(days) - 1) * DAY, DAY), null, Number(days));
}

function range(since, until, days) {
  const period = days <= 2 ? "hour" : days <= 120 ? "day" : "month";
  const start = period === "month" ? new Date(Date.UTC(since.getUTCFullYear(), since.getUTCMonth(), 1)) : since;
  return {
    period,
    since: start,
    until: until ?? new Date(),
    query: { since: start.toISOString(), until: until ? until.toISOString() : "" },
  };
}

function startOf(moment, length) {
  return new Date(Math.floor(moment / length) * length);
}

// All periods of a range, those without a request too.
export function periodsOf({ period, since, until }) {
  const periods = [];
  for (let at = new Date(since); at < until; at = next(at, period)) periods.push(at.toISOString());
  return periods;
}

function next(at, period) {
  if (period === "month") return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1));
  return new Date(at.getTime() + (period === "hour" ? 3_600_000 : DAY));
}

export function rangeFields({ parameters, change }) {
  const days = parameters.get("days") ?? "30";
  const day = (name, label) => h("label", { class: "field" }, h("span", {}, label),
    h("input", {
      type: "date", name, value: parameters.get(name) ?? "",
      onchange: (event) => change({ [name]: event.target.value }),
    }));
  return [
    select("days", "Time", RANGES, days, (value) => change({ days: value })),
    days === "own" && [day("from", "From"), day("to", "To")],
  ];
}
