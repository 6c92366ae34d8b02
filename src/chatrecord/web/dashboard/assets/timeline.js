// Requests and tool calls of a run on one line of time.

import { badge, h, placed } from "./elements.js";
import { money, short, time } from "./figures.js";
import { why } from "./requests.js";

export function timeline(run, requests, calls) {
  const rows = [...requests.map(requestRow), ...calls.filter((call) => call.started_at).map(callRow)];
  rows.sort((a, b) => a.start - b.start);
  if (!rows.length) return null;
  const start = Math.min(...rows.map((row) => row.start), run ? Date.parse(run.started_at) : Infinity);
  const end = Math.max(...rows.map((row) => row.start + row.length), start + 1);
  const scale = 100 / (end - start);
  return h("div", { class: "timeline", role: "group", "aria-label": "Time line" },
    h("div", { class: "axis", "aria-hidden": "true" }, [0, 0.5, 1].map((part) => h("span", {}, time((end - start) * part)))),
    h("ol", {}, rows.map((row) => h("li", {},
      h("div", { class: "label" }, h("span", { class: "name" }, row.name), row.status === "complete" ? null : badge(row.status)),
      h("div", { class: "track", "aria-hidden": "true" }, bars(row, start, scale)),
      h("div", { class: "note" }, row.told), row.why))));
}

function bars(row, start, scale) {
  const left = Math.min((row.start - start) * scale, 99.4);
  const width = Math.min(Math.max(row.length * scale, 0.6), 100 - left);
  const bar = placed(h("i", { class: `span ${row.kind} ${row.status}` }), left, width);
  if (row.first === null || row.first >= row.length) return bar;
  return [bar, placed(h("i", { class: "span waiting" }), left, row.first * scale)];
}

function requestRow(request) {
  const { input, output } = request.tokens;
  const told = [
    time(request.latency_ms),
    request.first_token_ms === null ? null : `first token ${time(request.first_token_ms)}`,
    input === null && output === null ? null : `${short(input)} → ${short(output)} tokens`,
    request.cost === null ? null : money(request.cost),
  ];
  return {
    kind: "request", name: request.model ?? "request", status: request.status,
    start: Date.parse(request.started_at), length: request.latency_ms ?? 0, first: request.first_token_ms,
    told: told.filter(Boolean).join(" · "), why: why(request),
  };
}

function callRow(call) {
  return {
    kind: "tool", name: call.name, status: call.status, start: Date.parse(call.started_at),
    length: call.duration_ms ?? 0, first: null, told: `tool · ${time(call.duration_ms)}`, why: null,
  };
}
