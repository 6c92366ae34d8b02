import type { Passage } from "../api/handbook";

/** Where a passage stands, in words: "Annual leave, Carry-over, page 3". */
export function placeOf({ title, heading, page }: Pick<Passage, "title" | "heading" | "page">) {
  return [title, heading !== title && heading, page && `page ${page}`].filter(Boolean).join(", ");
}
