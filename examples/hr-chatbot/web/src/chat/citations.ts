import type { Element, ElementContent, Root, Text } from "hast";

const marks = /\[(\d{1,2}(?:\s*[,;]\s*\d{1,2})*)\]/g;
/** Keeps a number on the line of the word before it, and with the full stop behind it. */
const wordJoiner = "\u2060";
const untouched = new Set(["a", "code", "pre"]);

/** Makes every `[2]` or `[1, 3]` in the text a `cite` element with its number. */
export function citations() {
  return (tree: Root) => visit(tree);
}

function visit(parent: Root | Element) {
  parent.children = (parent.children as ElementContent[]).flatMap((child) => {
    if (child.type === "text") return split(child);
    if (child.type === "element" && !untouched.has(child.tagName)) visit(child);
    return [child];
  });
}

function split(text: Text): ElementContent[] {
  const pieces: ElementContent[] = [];
  let end = 0;
  for (const match of text.value.matchAll(marks)) {
    const before = text.value.slice(end, match.index).trimEnd();
    pieces.push({ type: "text", value: (end ? joined(before) : before) + wordJoiner });
    for (const number of match[1]!.split(/[,;]/)) pieces.push(cite(Number(number)));
    end = match.index + match[0].length;
  }
  if (end === 0) return [text];
  if (end < text.value.length) pieces.push({ type: "text", value: joined(text.value.slice(end)) });
  return pieces;
}

const joined = (text: string) => (/^[^\s\p{L}\p{N}]/u.test(text) ? wordJoiner + text : text);

const cite = (number: number): Element => ({
  type: "element",
  tagName: "cite",
  properties: { dataNumber: number },
  children: [{ type: "text", value: `[${number}]` }],
});
