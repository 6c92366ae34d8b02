// What people think of answers: those that they rated bad, with what they said, and the others.

import { get } from "./api.js";
import { h, heading, select } from "./elements.js";
import { moment } from "./figures.js";
import { fill, slot } from "./loading.js";
import { rangeFields, rangeOf } from "./ranges.js";
import { linked, verdict } from "./ratings.js";

const RATINGS = [["negative", "Negative"], ["positive", "Positive"], ["any", "Any"]];

export async function showFeedback(context) {
  const { about, parameters, change, signal, view } = context;
  const range = rangeOf(parameters);
  const rating = parameters.get("rating") ?? "negative";
  const column = parameters.get("column") || about.columns[0];
  const value = parameters.get("value") ?? "";
  const found = slot();
  view.replaceChildren(
    h("div", { class: "heading" }, h("h1", {}, "Feedback"),
      h("form", { class: "fields", onsubmit: (event) => event.preventDefault() },
        select("rating", "Rating", RATINGS, rating, (chosen) => change({ rating: chosen })),
        column && about.columns.length > 1 && select("column", "Column", about.columns.map((name) => [name, heading(name)]), column, (chosen) => change({ column: chosen, value: "" })),
        column && h("label", { class: "field" }, h("span", {}, about.columns.length > 1 ? "Value" : heading(column)),
          h("input", { type: "search", name: "value", value, placeholder: "Any", onchange: (event) => change({ value: event.target.value.trim() }) })),
        rangeFields(context))),
    h("section", { class: "card" }, found));

  const asked = { ...range.query, rating: rating === "any" ? "" : rating };
  if (column && value) asked[`column.${column}`] = value;
  const more = (before) => get("feedback", { ...asked, before }, signal);
  await fill(found, context, () => more(""), (page) => list(page, context, more));
}

function list(page, context, more) {
  if (!page.feedback.length) return h("p", { class: "empty" }, "No such feedback in this time");
  const body = h("tbody");
  const foot = h("div", { class: "foot" });
  const columns = context.about.columns.slice(0, 2);
  const names = ["Time", "Comment", "Rating", "Chat", ...columns.map(heading), "By"];
  const add = (found) => {
    body.append(...found.feedback.map((one) => row(one, found, columns)));
    foot.replaceChildren(...further(found, foot, context, more, add));
  };
  add(page);
  return [
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Feedback" },
      h("table", { class: "rated" },
        h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, name)))), body)),
    foot,
  ];
}

function further(found, foot, context, more, add) {
  if (!found.next) return [];
  const button = h("button", { type: "button", onclick: () => {
    button.disabled = true;
    fill(foot, context, () => more(found.next), (page) => {
      queueMicrotask(() => add(page));
      return [];
    });
  } }, "More");
  return [button];
}

function row(one, { chats, names }, columns) {
  const chat = chats[one.chat_id];
  return h("tr", {},
    h("td", { class: "nowrap" }, moment(one.created_at)),
    h("td", { class: "comment" }, one.comment ?? h("span", { class: "note" }, "none")),
    h("td", {}, verdict(one)),
    h("td", { class: "words" }, linked(one, chats)),
    columns.map((name) => h("td", { class: "words" }, called(chat?.columns[name], names[name]))),
    h("td", { class: "words" }, one.owner || "–"));
}

function called(value, names) {
  return value === null || value === undefined ? "–" : names?.[value] ?? String(value);
}
