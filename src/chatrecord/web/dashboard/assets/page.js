// The page: which view is shown, by the address behind the #.

import { get } from "./api.js";
import { h, problem } from "./elements.js";
import { showChats } from "./chats.js";
import { showFeedback } from "./feedback.js";
import { showRequests } from "./requests.js";
import { showTrace } from "./trace.js";
import { showUsage } from "./usage.js";

const view = document.getElementById("view");
let about = null;
let leaving = new AbortController();

function address() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
  return { path: path || "/usage", parameters: new URLSearchParams(query) };
}

// Write these parameters into the address; what they show is drawn anew.
function change(changes) {
  const { path, parameters } = address();
  for (const [name, value] of Object.entries(changes)) {
    if (value === "" || value === null) parameters.delete(name);
    else parameters.set(name, value);
  }
  location.hash = `${path}?${parameters}`;
}

async function show() {
  leaving.abort();
  leaving = new AbortController();
  const { path, parameters } = address();
  const context = { about, parameters, change, signal: leaving.signal, view };
  const [, name, id] = path.split("/");
  for (const link of document.querySelectorAll("nav a")) {
    const isCurrent = link.getAttribute("href") === `#/${name}`;
    if (isCurrent) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const pages = { usage: showUsage, requests: showRequests, chats: id ? showTrace : showChats, feedback: showFeedback };
  const shown = pages[name] ?? showUsage;
  try {
    context.about = about ??= await get("about");
    tellScope(about.scope);
    document.getElementById("feedback-link").hidden = !about.feedback;
    await shown(context, id);
  } catch (error) {
    if (error.name !== "AbortError") view.replaceChildren(problem(error, show));
  }
}

function tellScope(scope) {
  const limits = Object.entries(scope).map(([name, value]) => `${name}: ${value}`);
  document.getElementById("scope").replaceChildren(
    limits.length ? h("span", { title: "You see these chats only" }, limits.join(", ")) : "");
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  view.focus();
});
addEventListener("hashchange", show);
show();
