// Messages and tool calls.

import { url } from "./api.js";
import { badge, h } from "./elements.js";
import { clock, moment, short, time } from "./figures.js";
import { json } from "./json.js";
import { verdict } from "./ratings.js";

const WHO = { user: "User", assistant: "Assistant", tool: "Tool results", system: "System", summary: "Summary" };

export function message(one, calls, feedback, chat) {
  const tokens = one.tokens.output === null || one.role !== "assistant" ? null : `${short(one.tokens.output)} tokens`;
  const article = h("article", { class: `message ${one.role} ${one.status}`, "aria-label": WHO[one.role] },
    h("header", {}, h("strong", {}, WHO[one.role]), h("span", { class: "note" },
      [clock(one.created_at), one.role === "assistant" ? one.model : null, tokens].filter(Boolean).join(" · ")),
      one.status === "complete" ? null : badge(one.status),
      one.finish_reason && !["stop", "tool_call"].includes(one.finish_reason) ? badge(one.finish_reason) : null),
    one.reasoning && h("details", { class: "reasoning" }, h("summary", {}, "Reasoning"), h("p", { class: "text" }, one.reasoning)),
    one.text && h("p", { class: "text" }, one.text),
    one.attachments.length ? h("p", { class: "chips" }, one.attachments.map((file) => attached(file, chat))) : null,
    calls.map(toolCall),
    feedback.map(rated),
    raw(one));
  return article;
}

// As the LLM library keeps it: with what is on record only, such as signatures and figures of tools.
function raw({ content }) {
  return content === null ? null
    : h("details", { class: "raw" }, h("summary", {}, "Raw message"), h("pre", { class: "json", tabindex: "0" },
      typeof content === "string" ? content : JSON.stringify(content, null, 2)));
}

function rated({ value, comment, owner, updated_at: at }) {
  return h("p", { class: "feedback" }, verdict({ value }),
    comment && h("span", {}, comment), h("span", { class: "note" }, [owner, moment(at)].filter(Boolean).join(" · ")));
}

function attached(file, chat) {
  const name = file.name || file.media_type || "file";
  if (!file.hash) return h("code", {}, file.url ?? name); // no address of another site is loaded
  return h("a", { href: url(`chats/${chat.id}/files/${file.hash}`), target: "_blank", rel: "noopener" }, name,
    file.size === null ? "" : ` (${short(file.size)} bytes)`);
}

function toolCall(call) {
  const hasResult = call.result !== null || call.status === "complete";
  return h("section", { class: "call", "aria-label": `Tool call ${call.name}` },
    h("header", {}, h("code", { class: "name" }, call.name), badge(call.status),
      call.duration_ms === null ? null : h("span", { class: "note" }, time(call.duration_ms))),
    part("Arguments", json(call.arguments)),
    hasResult ? part("Result", json(call.result)) : null,
    call.error && part("Error", h("p", { class: "text" }, call.error)));
}

function part(name, content) {
  return h("div", { class: "part" }, h("h4", {}, name), content);
}
