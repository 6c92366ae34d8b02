// A JSON value for people: short ones in a line, long ones folded.

import { h } from "./elements.js";

const LINES = 14;

export function json(value) {
  if (value === null || value === undefined) return h("pre", { class: "json note" }, "null");
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  const lines = text.split("\n");
  if (lines.length <= LINES && text.length < 1500) return h("pre", { class: "json", tabindex: "0" }, text);
  const first = lines.slice(0, 3).join(" ").slice(0, 120);
  return h("details", { class: "folded" }, h("summary", {}, h("code", {}, `${first} …`)), h("pre", { class: "json", tabindex: "0" }, text));
}
