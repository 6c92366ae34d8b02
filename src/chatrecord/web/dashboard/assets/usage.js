// What chats have used and cost, and how requests went: over time, and by model, user or column.

import { get } from "./api.js";
import { chart } from "./chart.js";
import { h, heading, select } from "./elements.js";
import { count, money, percent, periodName, short, sum, time } from "./figures.js";
import { fill, slot } from "./loading.js";
import { periodsOf, rangeFields, rangeOf } from "./ranges.js";
import { latestNegative, ratingsChart, totalOf } from "./ratings.js";
import { groupsTable } from "./groups.js";

const GROUPS = [["model", "Model"], ["provider", "Provider"], ["agent", "Agent"], ["kind", "Kind"], ["status", "Status"], ["error_type", "Error type"], ["http_status", "HTTP status"]];

export async function showUsage(context) {
  const { about, parameters, change, signal, view } = context;
  const range = rangeOf(parameters);
  const by = parameters.get("by") ?? "model";
  const ask = (more) => get("usage", { ...range.query, ...more }, signal);

  const [tiles, charts, times, groups] = [slot(`tiles-slot${about.feedback ? " with-ratings" : ""}`), slot("charts-slot"), slot("times-slot"), slot()];
  const ratings = about.feedback ? [slot("times-slot")] : [];
  view.replaceChildren(
    h("div", { class: "heading" }, h("h1", {}, "Usage"), h("form", { class: "fields" }, rangeFields(context))),
    tiles, charts, times, ...ratings,
    h("section", { class: "card", "aria-label": "Groups" },
      h("div", { class: "heading" }, h("h2", {}, `By ${heading(by).toLowerCase()}`),
        select("by", "Group by", [...GROUPS, ...about.columns.map((name) => [name, heading(name)])], by,
          (value) => change({ by: value }))),
      groups));

  const overTime = ask({ by: range.period });
  const grouped = ask({ by });
  const negative = about.feedback ? get("feedback", { ...range.query, rating: "negative" }, signal) : null;
  const timed = overTime.then(() => ask({ by: range.period, times: 1 }));
  const whole = timed.then(() => ask({ times: 1 }));
  await Promise.all([
    fill(tiles, context, () => overTime, (found) => allTiles(found, null)),
    fill(charts, context, () => overTime, (found) => amounts(found, range)),
    fill(groups, context, () => grouped, (found) => groupsTable(found, by, context)),
    fill(times, context, () => Promise.all([overTime, timed]), ([all, found]) => durations(found, range, timedSince(all, found))),
    ...ratings.map((place) => fill(place, context, () => Promise.all([overTime, negative]), ([found, latest]) => rated(found, latest, range, context))),
    overTime.then((all) => fill(tiles, context, () => whole, (found) => allTiles(all, found.rows[0] ?? {}))),
  ]);
  const [all, those] = await Promise.all([grouped, ask({ by, times: 1 }).catch(() => null)]);
  if (those && !signal.aborted) groups.replaceChildren(...groupsTable(withTimes(all, those), by, context));
}

function allTiles({ rows, ratings }, whole) {
  const total = (name) => sum(rows.map((row) => row[name]));
  const requests = total("requests") ?? 0;
  const failed = total("failed") ?? 0;
  const unpriced = total("unpriced") ?? 0;
  const tile = (name, value, more) => h("div", { class: "tile" }, h("dt", {}, name), h("dd", {}, value), h("p", {}, more ?? " "));
  const pair = (found) => found ? `p95 ${time(found.p95)}` : whole ? "not measured" : "…";
  return h("dl", { class: "tiles" },
    tile("Cost", money(total("cost")), unpriced ? `${count(unpriced)} requests without a price` : null),
    tile("Requests", count(requests)),
    tile("Failed", requests ? percent(failed / requests) : "–", `${count(failed)} requests`),
    tile("Input tokens", short(total("input")), total("cached") ? `${short(total("cached"))} from a cache` : null),
    tile("Output tokens", short(total("output")), total("reasoning") ? `${short(total("reasoning"))} of reasoning` : null),
    tile("Latency", time(whole?.latency?.p50), pair(whole?.latency)),
    tile("First token", time(whole?.first?.p50), pair(whole?.first)),
    ratings && ratingTile(totalOf(ratings), tile));
}

function ratingTile(all, tile) {
  return tile("Rated good", all.count ? percent(all.positive / all.count) : "–", `of ${count(all.count)} ratings`);
}

// Times are read of the last three months at most, and the other figures of the whole time.
function withTimes(all, timed) {
  const times = new Map(timed.rows.map((row) => [String(row.by[0]), row]));
  const rows = all.rows.map((row) => {
    const { latency, first } = times.get(String(row.by[0])) ?? {};
    return { ...row, latency, first };
  });
  return { ...all, rows, timed: timedSince(all, timed) };
}

function timedSince(all, timed) {
  return timed.since === all.since ? null : `Times since ${periodName(timed.since, "day")}`;
}

function pointsOf({ rows: given }, range, valuesOf) {
  const rows = new Map(given.map((row) => [new Date(row.by[0]).getTime(), row]));
  return periodsOf(range).map((at) => ({
    name: periodName(at, range.period),
    values: valuesOf(rows.get(new Date(at).getTime())),
  }));
}

function amounts(found, range) {
  const points = (valuesOf) => pointsOf(found, range, valuesOf);
  return h("div", { class: "charts" },
    chart({ title: "Cost", series: ["Cost"], format: money, kind: "bars", points: points((row) => [row?.cost ?? null]) }),
    chart({ title: "Tokens", series: ["Input", "Output"], format: short, kind: "bars", points: points((row) => [row?.input ?? null, row?.output ?? null]) }),
    chart({ title: "Requests", series: ["Answered", "Failed"], format: short, kind: "bars", points: points((row) => [row ? row.requests - row.failed : 0, row?.failed ?? 0]) }),
    chart({ title: "Error rate", series: ["Failed"], format: percent, kind: "lines", points: points((row) => [row ? row.failed / row.requests : null]) }));
}

function rated({ ratings }, latest, range, context) {
  const points = pointsOf({ rows: ratings ?? [] }, range, (row) => [row?.positive ?? 0, row?.negative ?? 0]);
  return h("div", { class: "charts" }, ratingsChart(points), latestNegative(latest, context));
}

function durations(found, range, note) {
  const points = (name) => pointsOf(found, range, (row) => [row?.[name]?.p50 ?? null, row?.[name]?.p95 ?? null]);
  const series = ["Half within", "95 % within"];
  return h("div", { class: "charts" },
    chart({ title: "Latency", note, series, format: time, kind: "lines", points: points("latency") }),
    chart({ title: "First token", note, series, format: time, kind: "lines", points: points("first") }));
}
