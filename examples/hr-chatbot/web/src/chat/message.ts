import { type DynamicToolUIPart, getToolName, isToolUIPart, type ToolUIPart, type UIMessage } from "ai";
import type { Passage } from "../api/handbook";

/** What the server tells about an answer beside its text. */
export interface AnswerMetadata {
  runId?: string;
  questionId?: string;
  status?: "streaming" | "complete" | "interrupted" | "failed";
  createdAt?: string;
  finishReason?: string | null;
  usage?: { inputTokens?: number | null; outputTokens?: number | null } | null;
  cost?: string | number | null;
}

export type ChatMessage = UIMessage<AnswerMetadata>;
export type ToolPart = ToolUIPart | DynamicToolUIPart;

export const searchTool = "search_handbook";

/** The id of a message, made here so that sending it twice asks once. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export const question = (text: string, id = newId()): ChatMessage => ({
  id,
  role: "user",
  parts: [{ type: "text", text }],
});

export const textOf = (message: ChatMessage) =>
  message.parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n\n");

/** The passages that `[1]`, `[2]`, ... of the answer at `index` mean: its last search, in order. */
export function passagesFor(messages: ChatMessage[], index: number): Passage[] {
  for (let at = index; at >= 0 && messages[at]?.role === "assistant"; at--) {
    const found = messages[at]!.parts.findLast((part) => isToolUIPart(part) && passagesOf(part).length > 0);
    if (found) return passagesOf(found as ToolPart);
  }
  return none;
}

/** What a search brought; empty for every other tool. */
export function passagesOf(part: ToolPart): Passage[] {
  if (getToolName(part) !== searchTool || part.state !== "output-available") return none;
  const output = part.output as { passages?: Passage[] } | null;
  return Array.isArray(output?.passages) ? output.passages : none;
}

const none: Passage[] = [];
