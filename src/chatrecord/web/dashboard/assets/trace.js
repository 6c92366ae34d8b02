// One chat as a trace: its messages by run, with what was really sent and how long it took.

import { get, url } from "./api.js";
import { valueOf } from "./chats.js";
import { badge, h, heading } from "./elements.js";
import { count, money, moment, short, time } from "./figures.js";
import { liveAnswer } from "./live.js";
import { fill, slot } from "./loading.js";
import { message } from "./messages.js";
import { why } from "./requests.js";
import { timeline } from "./timeline.js";
import { json } from "./json.js";

export async function showTrace(context, id) {
  const { signal, view } = context;
  const found = slot("trace-slot");
  view.replaceChildren(h("p", { class: "back" }, h("a", { href: "#/chats" }, "Chats")), found);
  const load = (before) => get(`chats/${encodeURIComponent(id)}`, { before }, signal);
  const again = () => fill(found, context, () => load(""), (page) => whole(page, context, load, again));
  await again();
}

function whole(page, context, load, again) {
  const { chat } = page;
  const earlier = h("div", { class: "foot" });
  const runs = h("div", { class: "runs" }, runsOf(page, chat));
  offerEarlier(page, earlier, runs, context, load, chat);
  return [
    top(page),
    page.summaries.length ? h("details", { class: "card" }, h("summary", {}, `Summaries of older messages (${page.summaries.length})`),
      page.summaries.map((summary) => h("p", { class: "text" }, summary.text))) : null,
    earlier,
    page.messages.length ? runs : h("p", { class: "empty card" }, "Nothing was said in this chat yet"),
    page.live && liveAnswer(context, chat.id, page.live, again),
    page.side_requests.length ? sideRequests(page.side_requests) : null,
  ].filter(Boolean);
}

function top({ chat, names, usage, live }) {
  const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  const hasMetadata = Object.keys(chat.metadata).length;
  return h("section", { class: "card chat-top" },
    h("div", { class: "heading" }, h("h1", {}, chat.title || "Untitled chat", live && badge("running")),
      h("a", { class: "button", href: url(`chats/${chat.id}/export`), download: `chat-${chat.id}.jsonl` }, "Export")),
    h("dl", { class: "facts" },
      Object.keys(chat.columns).map((name) => fact(heading(name), valueOf(chat, name, names))),
      fact("Model", [chat.provider, chat.model].filter(Boolean).join(":") || "–"),
      chat.agent && fact("Agent", chat.agent),
      fact("Created", moment(chat.created_at)),
      fact("Last question", moment(chat.updated_at)),
      usage && [
        fact("Requests", count(usage.requests)),
        fact("Tokens", `${short(usage.input_tokens)} in, ${short(usage.output_tokens)} out`),
        fact("Cost", money(usage.cost) + (usage.unpriced_requests && usage.cost !== null ? " + unknown" : "")),
      ],
      fact("ID", h("code", {}, chat.id))),
    chat.instructions && h("details", {}, h("summary", {}, "Instructions of the chat"), h("p", { class: "text" }, chat.instructions)),
    hasMetadata ? h("details", {}, h("summary", {}, "Metadata"), json(chat.metadata)) : null);
}

function offerEarlier(page, place, runs, context, load, chat) {
  place.replaceChildren();
  if (page.next === null) return;
  const button = h("button", { type: "button", onclick: () => {
    button.disabled = true;
    fill(place, context, () => load(page.next), (more) => {
      runs.prepend(...runsOf(more, chat));
      queueMicrotask(() => offerEarlier(more, place, runs, context, load, chat));
      return [];
    });
  } }, "Earlier messages");
  place.append(button);
}

// Messages that follow each other and belong to one run stand together.
function runsOf(page, chat) {
  const groups = [];
  for (const one of page.messages) {
    if (groups.length && groups.at(-1)[0].run_id === one.run_id) groups.at(-1).push(one);
    else groups.push([one]);
  }
  const runs = new Map(page.runs.map((run) => [run.id, run]));
  return groups.map((messages) => runCard(runs.get(messages[0].run_id), messages, page, chat));
}

function runCard(run, messages, page, chat) {
  const ofRun = (rows) => rows.filter((row) => row.run_id === run?.id);
  const requests = run ? ofRun(page.requests) : [];
  const calls = run ? ofRun(page.tool_calls) : [];
  const isSuperseded = messages.every((one) => one.status === "superseded");
  const said = messages.map((one) => message(one, calls.filter((call) => call.message_id === one.id), page.feedback.filter((given) => given.message_id === one.id), chat));
  return h("section", { class: `card run${isSuperseded ? " superseded" : ""}`, "aria-label": isSuperseded ? "Superseded run" : "Run" },
    run && runHead(run, requests),
    isSuperseded ? h("details", { class: "branch" }, h("summary", {}, "Superseded: another question or answer has replaced this"), said) : said,
    run?.error && h("p", { class: "run-error" }, run.error),
    requests.length || calls.length ? timeline(run, requests, calls) : null,
    run && sent(run));
}

function runHead(run, requests) {
  const took = run.finished_at ? new Date(run.finished_at) - new Date(run.started_at) : null;
  const known = requests.map((request) => request.cost).filter((cost) => cost !== null);
  const cost = known.reduce((total, amount) => total + Number(amount), 0);
  return h("header", { class: "run-head" }, badge(run.status),
    h("span", {}, moment(run.started_at)),
    took !== null && h("span", {}, time(took)),
    requests.length ? h("span", {}, `${requests.length} ${requests.length === 1 ? "request" : "requests"}`) : null,
    known.length ? h("span", {}, money(cost)) : null);
}

// What the provider was really told besides the messages.
function sent(run) {
  const { tools, model_settings: settings, ...others } = run.settings ?? {};
  const hasOthers = Object.keys(others).length;
  if (!run.instructions && !tools?.length && !settings && !hasOthers) return null;
  return h("details", {}, h("summary", {}, "What was sent", tools?.length ? ` (${tools.length} ${tools.length === 1 ? "tool" : "tools"})` : ""),
    run.instructions ? [h("h3", {}, "Instructions"), h("p", { class: "text" }, run.instructions)] : null,
    tools?.length ? [h("h3", {}, "Tools offered"), h("p", { class: "chips" }, tools.map((name) => h("code", {}, name)))] : null,
    settings ? [h("h3", {}, "Model settings"), json(settings)] : null,
    hasOthers ? [h("h3", {}, "Other settings"), json(others)] : null);
}

function sideRequests(requests) {
  return h("section", { class: "card run" }, h("h2", {}, "Requests outside runs"),
    h("p", { class: "note" }, "Such as those for a title"),
    timeline(null, requests, []), requests.map((request) => why(request)));
}
