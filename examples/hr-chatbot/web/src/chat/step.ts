import { getToolName, isToolUIPart } from "ai";
import { type ChatMessage, searchTool, type ToolPart } from "./message";

/** A question was sent, and nothing has come of it yet. */
export const begun = "Looking into it…";

/** The next that comes are words. */
export const writing = "Writing…";

/** What an answer that is being written waits for, in words; null while its own words come. */
export function stepOf(answer: ChatMessage): string | null {
  const part = answer.parts.findLast(({ type }) => type !== "step-start");
  if (!part) return begun;
  if (part.type === "text") return part.text ? null : writing;
  if (part.type === "reasoning") return "Thinking…";
  return isToolUIPart(part) ? stepOfCall(part) : begun;
}

function stepOfCall(part: ToolPart): string | null {
  switch (part.state) {
    case "approval-requested":
      return null;
    case "output-available":
    case "output-error":
    case "output-denied":
      return writing;
    default:
      return getToolName(part) === searchTool ? "Searching the handbook…" : "Working on it…";
  }
}
