import { type ChatDetail, getChat } from "../api/chats";
import type { Passage } from "../api/handbook";
import { ApiError } from "../api/request";
import { Failure } from "../ui/Failure";
import { Loading } from "../ui/Loading";
import { links } from "../ui/useRoute";
import { useLoaded } from "../ui/useLoaded";
import { ChatView } from "./ChatView";

interface Props {
  id: string;
  /** A chat made a moment ago, and the question it begins with. */
  fresh: { detail: ChatDetail; question: string } | null;
  changedAt: string | undefined;
  onOpen: (passage: Passage) => void;
}

export function ChatPage({ id, fresh, changedAt, onOpen }: Props) {
  const { data, error, retry } = useLoaded(() => (fresh ? Promise.resolve(fresh.detail) : getChat(id)), id);
  if (data) {
    return <ChatView detail={data} opening={fresh?.question ?? null} changedAt={changedAt} onOpen={onOpen} />;
  }
  return (
    <div className="mx-auto w-full max-w-3xl flex-1 p-6">
      {error instanceof ApiError && error.status === 404 ? (
        <div className="py-24 text-center">
          <h2 className="font-serif text-2xl">There is no such chat</h2>
          <p className="mt-2 text-muted">It may have been deleted, or it belongs to somebody else.</p>
          <a href={links.home} className="mt-4 inline-block font-medium text-accent underline">
            Start a new one
          </a>
        </div>
      ) : error ? (
        <Failure error={error} onRetry={retry} />
      ) : (
        <Loading label="Loading the chat" lines={6} />
      )}
    </div>
  );
}
