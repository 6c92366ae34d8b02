import type { ChatDetail } from "../api/chats";
import type { Passage } from "../api/handbook";
import { wording } from "../api/request";
import { Notice } from "../ui/Notice";
import { Announcer } from "./Announcer";
import { Composer } from "./Composer";
import { waitsForApproval } from "./message";
import { Messages } from "./Messages";
import { ScrollArea } from "./ScrollArea";
import { useConversation } from "./useConversation";

interface Props {
  detail: ChatDetail;
  opening: string | null;
  changedAt: string | undefined;
  onOpen: (passage: Passage) => void;
}

export function ChatView({ detail, opening, changedAt, onOpen }: Props) {
  const conversation = useConversation(detail, opening, changedAt);
  const { messages, busy, problem } = conversation;
  return (
    <>
      <ScrollArea follow={messages}>
        <div className="mx-auto w-full max-w-3xl space-y-6 px-4 pt-6 pb-4 sm:px-6">
          <Messages conversation={conversation} onOpen={onOpen} />
          {problem != null && <Notice tone="bad">{wording(problem)}</Notice>}
        </div>
      </ScrollArea>
      <div className="mx-auto w-full max-w-3xl px-4 pb-4 sm:px-6">
        <Composer
          busy={busy}
          stopping={conversation.stopping}
          blocked={waitsForApproval(messages.at(-1)) ? "Approve or deny the request above first." : null}
          onSend={conversation.ask}
          onStop={conversation.stop}
        />
      </div>
      <Announcer busy={busy} last={messages.at(-1)} />
    </>
  );
}
