// Chats found by words, a column such as the user, a tool, how a run went, and cost.

import { get } from "./api.js";
import { h, heading, select } from "./elements.js";
import { count, money, moment } from "./figures.js";
import { fill, slot } from "./loading.js";

const STATUSES = [["", "Any"], ["failed", "failed"], ["interrupted", "interrupted"], ["parked", "waits for approval"], ["running", "running"], ["complete", "complete"]];

export async function showChats(context) {
  const { about, parameters, change, signal, view } = context;
  const chosen = (name) => parameters.get(name) ?? "";
  const column = chosen("column") || about.columns[0];
  const text = (name, label, more = {}) => h("label", { class: "field" }, h("span", {}, label),
    h("input", { type: "search", name, value: chosen(name), onchange: (event) => change({ [name]: event.target.value.trim() }), ...more }));
  const found = slot();
  const said = h("div", {}, chosen("search") ? slot() : null);
  view.replaceChildren(
    h("div", { class: "heading" }, h("h1", {}, "Chats"),
      h("form", { class: "fields", role: "search", onsubmit: (event) => event.preventDefault() },
        text("search", "Words", { placeholder: "travel policy", maxlength: 255 }),
        column && about.columns.length > 1 && select("column", "Column", about.columns.map((name) => [name, heading(name)]), column, (value) => change({ column: value, value: "" })),
        column && text("value", about.columns.length > 1 ? "Value" : heading(column)),
        text("tool", "Tool called"),
        select("status", "Status of a run", STATUSES, chosen("status"), (value) => change({ status: value })),
        text("cost", "Cost from ($)", { inputmode: "decimal", placeholder: "0.10" }))),
    said, h("section", { class: "card" }, found));

  const asked = { search: chosen("search"), tool: chosen("tool"), status: chosen("status"), cost: chosen("cost") };
  if (column && chosen("value")) asked[`column.${column}`] = chosen("value");
  const more = (before) => get("chats", { ...asked, before }, signal);
  const scope = Object.fromEntries(Object.entries(asked).filter(([name]) => name.startsWith("column.")));
  await Promise.all([
    fill(found, context, () => more(""), (page) => list(page, context, more)),
    asked.search && fill(said.firstChild, context, () => get("texts", { q: asked.search, ...scope }, signal), texts),
  ]);
}

// Questions and answers with the words that were searched for.
function texts({ hits, unavailable }) {
  if (unavailable) return h("p", { class: "note" }, `Words are searched in titles only. ${unavailable}`);
  return h("section", { class: "card said", "aria-label": "In what was said" },
    h("h2", {}, "In what was said"),
    hits.length ? h("ul", {}, hits.map((hit) => h("li", {},
      h("a", { href: `#/chats/${hit.chatId}` }, hit.title || "Untitled chat"),
      h("span", { class: "note" }, ` · ${hit.role} · ${moment(hit.createdAt)}`),
      h("p", {}, hit.snippet.map(({ text, match }) => match ? h("mark", {}, text) : text)))))
      : h("p", { class: "note" }, "No question or answer has all of these words"));
}

function list(page, context, more) {
  const body = h("tbody");
  const foot = h("div", { class: "foot" });
  const columns = context.about.columns.slice(0, 3);
  const table = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Chats" },
    h("table", { class: "chats" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Title"),
        columns.map((name) => h("th", { scope: "col" }, heading(name))),
        h("th", { scope: "col" }, "Model"), h("th", { scope: "col" }, "Last question"),
        ["Requests", "Cost"].map((name) => h("th", { scope: "col", class: "number" }, name)))),
      body));
  const nothing = h("p", { class: "empty" }, "No chat is like that");
  const add = (found) => {
    body.append(...found.chats.map((chat) => row(chat, found, columns)));
    table.hidden = !body.children.length;
    nothing.hidden = Boolean(body.children.length || found.next);
    foot.replaceChildren(...further(found, foot, context, more, add));
  };
  add(page);
  return [table, nothing, foot];
}

function further(found, foot, context, more, add) {
  if (!found.next) return [];
  const isPartial = found.chats.length === 0;
  const button = h("button", { type: "button", onclick: () => {
    button.disabled = true;
    fill(foot, context, () => more(found.next.key), (page) => {
      queueMicrotask(() => add(page));
      return [];
    });
  } }, isPartial ? "Look further" : "More");
  return [h("span", { class: "note" }, `Looked at chats since ${moment(found.next.reached)}`), button];
}

function row(chat, { names, usage }, columns) {
  const used = usage[chat.id];
  return h("tr", {},
    h("th", { scope: "row", class: "words" }, h("a", { href: `#/chats/${chat.id}` }, chat.title || "Untitled chat")),
    columns.map((name) => h("td", { class: "words" }, valueOf(chat, name, names))),
    h("td", { class: "words" }, chat.model ?? "–"),
    h("td", { class: "nowrap" }, moment(chat.updated_at)),
    h("td", { class: "number" }, count(used?.requests ?? 0)),
    h("td", { class: "number" }, used?.cost == null && !used?.requests ? "–" : money(used.cost)));
}

export function valueOf(chat, name, names) {
  const value = chat.columns[name];
  if (value === null || value === undefined) return "–";
  return names[name]?.[value] ?? String(value);
}
