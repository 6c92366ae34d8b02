import { isToolUIPart } from "ai";
import type { Passage } from "../api/handbook";
import { Markdown } from "./Markdown";
import { AnswerFooter } from "./AnswerFooter";
import type { ChatMessage } from "./message";
import { Reasoning } from "./Reasoning";
import { Progress } from "../ui/Progress";
import { stepOf, writing } from "./step";
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
  onResume: () => void;
}

export function Answer({ message, passages, live, last, locked, onOpen, onRespond, onRegenerate, onResume }: Props) {
  const step = live ? stepOf(message) : null;
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
          const growing = live && index === message.parts.length - 1;
          return (
            part.text && (
              <div key={index} className={growing ? "growing" : undefined}>
                <Markdown text={part.text} passages={passages} onCite={onOpen} />
              </div>
            )
          );
        }
        if (part.type === "reasoning") {
          return part.text && <Reasoning key={index} text={part.text} />;
        }
        if (isToolUIPart(part)) {
          return <ToolCard key={index} part={part} live={live} onOpen={onOpen} onRespond={onRespond} />;
        }
        return null;
      })}
      {step && <Progress label={step} caret={step === writing} />}
      {!live && (
        <AnswerFooter message={message} last={last} locked={locked} onRegenerate={onRegenerate} onResume={onResume} />
      )}
    </article>
  );
}
