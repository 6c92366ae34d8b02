import { useState } from "react";
import { Button } from "../ui/Button";
import { IconButton } from "../ui/IconButton";
import { Notice } from "../ui/Notice";
import { count, money } from "../ui/format";
import { type ChatMessage, textOf, waitsForApproval } from "./message";

interface Props {
  message: ChatMessage;
  last: boolean;
  locked: boolean;
  onRegenerate: () => void;
  onResume: () => void;
}

/** What can be done with an answer, what it cost, and how it ended if not well. */
export function AnswerFooter({ message, last, locked, onRegenerate, onResume }: Props) {
  if (waitsForApproval(message)) return null;
  const { status, error, stopped } = message.metadata ?? {};
  const broken = (status === "interrupted" && !stopped) || status === "failed";
  const text = textOf(message);
  return (
    <>
      {stopped && (
        <p className="text-sm text-muted" data-testid="stopped">
          You stopped this answer.
        </p>
      )}
      {broken && (
        <Notice
          tone={status === "failed" ? "bad" : "warn"}
          testId={status}
          action={
            last && (
              <Button look="primary" disabled={locked} onClick={onResume}>
                Write it again
              </Button>
            )
          }
        >
          {status === "interrupted"
            ? "This answer was interrupted before its end."
            : (error?.message ?? "This answer failed.")}{" "}
          {text && "The text above is kept in the record."}
        </Notice>
      )}
      <footer className="-ml-2 flex items-center gap-0.5 text-muted">
        <Copy text={text} />
        {last && !broken && <IconButton icon="refresh" label="Answer again" disabled={locked} onClick={onRegenerate} />}
        <Spent message={message} />
      </footer>
    </>
  );
}

function Copy({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  if (!text || !navigator.clipboard) return null;
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <IconButton
      icon={copied ? "approve" : "copy"}
      label={copied ? "Copied" : "Copy answer"}
      onClick={() => void copy().catch(() => setCopied(false))}
    />
  );
}

function Spent({ message }: { message: ChatMessage }) {
  const { usage, cost } = message.metadata ?? {};
  const tokens = (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0);
  if (!tokens) return null;
  return (
    <span className="ml-1 text-xs tabular-nums" data-testid="spent">
      {count(tokens)} tokens{cost != null && ` · ${money(cost)}`}
    </span>
  );
}
