import { isToolUIPart } from "ai";
import type { Passage } from "../api/handbook";
import { Markdown } from "./Markdown";
import { AnswerFooter } from "./AnswerFooter";
import type { ChatMessage } from "./message";
import { Reasoning } from "./Reasoning";
import { ToolCard } from "./ToolCard";

interface Props {
  message: ChatMessage;
  passages: Passage[];
  live: boolean;
  last: boolean;
  locked: boolean;
  onOpen: (passage: Passage) => void;
  onRespond: (approvalId: string, approved: boolean, reason?: string) => void;
  onRegenerate: () => void;
  onGoOn: () => void;
}

export function Answer({ message, passages, live, last, locked, onOpen, onRespond, onRegenerate, onGoOn }: Props) {
  return (
    <article
      aria-label="Answer"
      aria-busy={live}
      data-testid="answer"
      data-status={live ? "streaming" : message.metadata?.status}
      className="space-y-3"
    >
      {message.parts.map((part, index) => {
        if (part.type === "text") {
          return part.text && <Markdown key={index} text={part.text} passages={passages} onCite={onOpen} />;
        }
        if (part.type === "reasoning") {
          return part.text && <Reasoning key={index} text={part.text} live={live && part.state === "streaming"} />;
        }
        if (isToolUIPart(part)) {
          return <ToolCard key={index} part={part} live={live} onOpen={onOpen} onRespond={onRespond} />;
        }
        return null;
      })}
      {!live && (
        <AnswerFooter message={message} last={last} locked={locked} onRegenerate={onRegenerate} onGoOn={onGoOn} />
      )}
    </article>
  );
}
