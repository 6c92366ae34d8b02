import type { Passage } from "../api/handbook";
import { wording } from "../api/request";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Notice";
import { Progress } from "../ui/Progress";
import { Answer } from "./Answer";
import { lastingId, passagesFor, textOf, waitsForApproval } from "./message";
import { Question } from "./Question";
import { begun } from "./step";
import type { Conversation } from "./useConversation";

interface Props {
  conversation: Conversation;
  onOpen: (passage: Passage) => void;
}

export function Messages({ conversation, onOpen }: Props) {
  const { messages, busy, unsent } = conversation;
  const last = messages.length - 1;
  const locked = busy || waitsForApproval(messages[last]);
  const unanswered = messages[last]?.role === "user" && !busy && !unsent;
  return (
    <>
      {conversation.loadEarlier && (
        <Button className="mx-auto flex" look="quiet" disabled={busy} onClick={conversation.loadEarlier}>
          Earlier messages
        </Button>
      )}
      {messages.map((message, index) =>
        message.role === "user" ? (
          <Question
            key={lastingId(message)}
            text={textOf(message)}
            locked={locked}
            onEdit={(text) => conversation.edit(message.id, text)}
          />
        ) : (
          <Answer
            key={message.id}
            message={message}
            passages={passagesFor(messages, index)}
            live={busy && index === last}
            last={index === last}
            locked={busy}
            onOpen={onOpen}
            onRespond={conversation.respond}
            onRegenerate={() => conversation.regenerate(message.id)}
            onResume={conversation.resume}
          />
        ),
      )}
      {busy && messages[last]?.role === "user" && <Progress label={begun} />}
      {unanswered && (
        <Notice tone="warn" testId="unanswered" action={<Button onClick={conversation.resume}>Answer it</Button>}>
          This question has no answer yet.
        </Notice>
      )}
      {unsent && <UnsentQuestion conversation={conversation} />}
    </>
  );
}

function UnsentQuestion({ conversation: { unsent, sendAgain, forgetUnsent } }: { conversation: Conversation }) {
  if (!unsent) return null;
  return (
    <div className="space-y-2" data-testid="unsent">
      <p className="ml-auto w-fit max-w-[85%] rounded-2xl rounded-br-md border border-dashed border-line px-4 py-2.5 whitespace-pre-wrap text-muted wrap-anywhere">
        {textOf(unsent.message)}
      </p>
      <Notice
        tone="bad"
        action={
          <span className="flex gap-2">
            <Button look="quiet" onClick={forgetUnsent}>
              Discard
            </Button>
            <Button onClick={sendAgain}>Send again</Button>
          </span>
        }
      >
        {unsent.replaces ? "Your change was not sent." : "Your question was not sent."} {wording(unsent.error)}
      </Notice>
    </div>
  );
}
