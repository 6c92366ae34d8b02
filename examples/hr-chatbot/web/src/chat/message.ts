import { type DynamicToolUIPart, getToolName, isToolUIPart, type ToolUIPart, type UIMessage } from "ai";
import type { Passage } from "../api/handbook";

/** What the server tells about an answer beside its text. */
export interface AnswerMetadata {
  runId?: string;
  questionId?: string;
  /** A parked answer waits for a tool call to be approved or denied. */
  status?: "streaming" | "parked" | "complete" | "interrupted" | "failed";
  createdAt?: string;
  finishReason?: string | null;
  usage?: { inputTokens?: number | null; outputTokens?: number | null } | null;
  cost?: string | number | null;
  error?: { code: string; message: string };
  /** Somebody stopped this answer: it was not interrupted by anything else. */
  stopped?: boolean;
  /** Of a question: the id that it was sent with. */
  clientId?: string;
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

/** The same before and after the server has given a question an id of its own. */
export const lastingId = (message: ChatMessage) => message.metadata?.clientId ?? message.id;

export const waitsForApproval = (message: ChatMessage | undefined) =>
  message?.parts.some((part) => isToolUIPart(part) && part.state === "approval-requested") ?? false;

/** What the searches for the answer at `index` found: what its `[1]`, `[2]`, ... mean. */
export function passagesFor(messages: ChatMessage[], index: number): Passage[] {
  const found: Passage[] = [];
  for (let at = index; messages[at]?.role === "assistant"; at--) {
    found.push(...messages[at]!.parts.flatMap((part) => (isToolUIPart(part) ? passagesOf(part) : [])));
  }
  return found;
}

/** What a search brought; empty for every other tool. */
export function passagesOf(part: ToolPart): Passage[] {
  if (getToolName(part) !== searchTool || part.state !== "output-available") return [];
  return Array.isArray(part.output) ? (part.output as Passage[]) : [];
}
