// A part of a page that is filled by the server: what was there stays, dimmed, until there is more.

import { h, problem } from "./elements.js";

export function slot(className = "") {
  return h("div", { class: `slot ${className}`, "aria-live": "polite" }, h("div", { class: "skeleton" }));
}

export async function fill(place, context, load, draw) {
  place.setAttribute("aria-busy", "true");
  try {
    const found = await load();
    if (context.signal.aborted) return;
    place.replaceChildren(...[draw(found)].flat().filter(Boolean));
  } catch (error) {
    if (error.name === "AbortError" || context.signal.aborted) return;
    place.replaceChildren(problem(error, () => fill(place, context, load, draw)));
  } finally {
    place.removeAttribute("aria-busy");
  }
}
