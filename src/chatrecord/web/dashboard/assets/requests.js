// Requests to providers: the latest, the slowest, the most expensive, the failed ones.

import { get } from "./api.js";
import { badge, h, placed, select } from "./elements.js";
import { money, moment, short, time } from "./figures.js";
import { fill, slot } from "./loading.js";
import { rangeFields, rangeOf } from "./ranges.js";

const ORDERS = [["started_at", "Latest"], ["latency_ms", "Slowest"], ["first_token_ms", "Slowest first token"], ["cost", "Most expensive"]];
const STATUSES = [["", "Any"], ["failed", "failed"], ["interrupted", "interrupted"], ["running", "running"], ["complete", "complete"]];

export async function showRequests(context) {
  const { parameters, change, signal, view } = context;
  const range = rangeOf(parameters);
  const [order, status, model] = ["order", "status", "model"].map((name) => parameters.get(name) ?? "");
  const found = slot();
  view.replaceChildren(
    h("div", { class: "heading" }, h("h1", {}, "Requests"),
      h("form", { class: "fields", onsubmit: (event) => event.preventDefault() },
        select("order", "Order", ORDERS, order || "latency_ms", (value) => change({ order: value })),
        select("status", "Status", STATUSES, status, (value) => change({ status: value })),
        h("label", { class: "field" }, h("span", {}, "Model"),
          h("input", { type: "search", name: "model", value: model, placeholder: "Any", onchange: (event) => change({ model: event.target.value }) })),
        rangeFields(context))),
    h("section", { class: "card" }, found));
  const asked = { ...range.query, order: order || "latency_ms", status, model };
  await fill(found, context, () => get("requests", asked, signal), (answer) => list(answer));
}

function list({ requests, chats }) {
  if (!requests.length) return h("p", { class: "empty" }, "No such requests in this time");
  const slowest = Math.max(...requests.map((request) => request.latency_ms ?? 0)) || 1;
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Requests" },
    h("table", { class: "requests" },
      h("thead", {}, h("tr", {}, ["Time", "Chat", "Model", "Status"].map((name) => h("th", { scope: "col" }, name)),
        ["Latency", "First token", "Tokens in", "out", "Cost"].map((name) => h("th", { scope: "col", class: "number" }, name)))),
      h("tbody", {}, requests.map((request) => row(request, chats[request.chat_id], slowest)))));
}

function row(request, chat, slowest) {
  return h("tr", {},
    h("td", { class: "nowrap" }, moment(request.started_at)),
    h("td", { class: "words" }, chat ? h("a", { href: `#/chats/${request.chat_id}` }, chat.title || "Untitled chat") : h("span", { class: "note" }, "deleted")),
    h("td", { class: "words" }, request.model ?? "–"),
    h("td", {}, badge(request.status), why(request)),
    h("td", { class: "number" }, time(request.latency_ms),
      h("div", { class: "meter" }, placed(h("i", {}), 0, (100 * (request.latency_ms ?? 0)) / slowest))),
    h("td", { class: "number" }, time(request.first_token_ms)),
    h("td", { class: "number" }, short(request.tokens.input)),
    h("td", { class: "number" }, short(request.tokens.output)),
    h("td", { class: "number" }, money(request.cost)));
}

export function why({ http_status: http, error_type: type, error }) {
  if (!http && !type && !error) return null;
  const name = [http && http >= 400 ? `HTTP ${http}` : null, type].filter(Boolean).join(" · ");
  if (!name && !error) return null;
  return h("div", { class: "why" }, name && h("strong", {}, name), error && h("span", {}, error));
}
