// An answer as it streams, read from the library's own events.

import { url } from "./api.js";
import { badge, h } from "./elements.js";

const RETRY_MS = 2000;

export function liveAnswer(context, chatId, runId, ended) {
  const text = h("p", { class: "text" });
  const reasoning = h("p", { class: "text" });
  const thought = h("details", { class: "reasoning", hidden: true }, h("summary", {}, "Reasoning"), reasoning);
  const calls = h("ul", { class: "live-calls" });
  const card = h("section", { class: "card run live", "aria-label": "The answer as it streams" },
    h("header", { class: "run-head" }, badge("running"), h("span", {}, "This answer is streaming")),
    thought, text, calls);

  const events = new EventSource(url(`chats/${chatId}/live/${runId}`));
  const on = (name, act) => events.addEventListener(name, (event) => act(JSON.parse(event.data)));
  const leave = () => events.close();
  context.signal.addEventListener("abort", leave);
  on("text", (data) => text.append(data.text));
  on("reasoning", (data) => {
    thought.hidden = false;
    reasoning.append(data.text);
  });
  on("tool_call", (data) => calls.append(h("li", {}, "calls ", h("code", {}, data.name))));
  on("tool_result", (data) => calls.append(h("li", {}, h("code", {}, data.name), ` ${data.status}`)));
  on("end", () => {
    leave();
    if (!context.signal.aborted) ended();
  });
  events.addEventListener("error", () => { // the server has gone, or the answer is whole: the rows tell
    leave();
    setTimeout(() => context.signal.aborted || ended(), RETRY_MS);
  });
  return card;
}
