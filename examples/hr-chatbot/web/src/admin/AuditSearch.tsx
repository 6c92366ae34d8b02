import { useEffect, useState } from "react";
import { type AuditedChat, findChats } from "../api/admin";
import { Button } from "../ui/Button";
import { Failure } from "../ui/Failure";
import { Loading } from "../ui/Loading";
import { dateTime } from "../ui/format";
import { links } from "../ui/useRoute";
import { useLoaded } from "../ui/useLoaded";

const pageSize = 30;

/** Finds a chat of anybody, to see everything that happened in it. */
export function AuditSearch() {
  const [text, setText] = useState("");
  const [search, setSearch] = useState("");
  const [older, setOlder] = useState<AuditedChat[]>([]);
  const [complete, setComplete] = useState(false);
  const { data, error, retry } = useLoaded(() => findChats(search), search);

  useEffect(() => {
    const soon = setTimeout(() => {
      setSearch(text.trim());
      setOlder([]);
      setComplete(false);
    }, 250);
    return () => clearTimeout(soon);
  }, [text]);

  const chats = [...(data ?? []), ...older];
  const more = async () => {
    const page = await findChats(search, chats.at(-1)?.id);
    setOlder([...older, ...page]);
    setComplete(page.length === 0);
  };

  return (
    <section className="space-y-4" aria-labelledby="audit">
      <header className="flex flex-wrap items-end justify-between gap-3">
        <div>
          <h2 id="audit" className="font-serif text-2xl font-medium tracking-tight">
            Audit trail
          </h2>
          <p className="mt-1 text-muted">Every message, tool call and request of every chat.</p>
        </div>
        <input
          type="search"
          value={text}
          onChange={(event) => setText(event.target.value)}
          aria-label="Find a chat"
          placeholder="Find a chat by its words"
          maxLength={255}
          className="min-h-10 w-full rounded-xl border border-line bg-surface px-3.5 placeholder:text-muted sm:w-72"
        />
      </header>
      {error ? (
        <Failure error={error} onRetry={retry} />
      ) : !data ? (
        <Loading label="Looking for chats" lines={6} />
      ) : (
        <ul className="overflow-hidden rounded-card border border-line bg-surface" data-testid="audit-chats">
          {chats.map((chat) => (
            <li key={chat.id} className="border-b border-line last:border-0">
              <a
                href={links.audit(chat.id)}
                className="grid gap-x-4 px-4 py-2.5 hover:bg-sunken sm:grid-cols-[1fr_14rem_10rem] sm:items-baseline"
              >
                <span className="truncate font-medium">{chat.title || "Untitled chat"}</span>
                <span className="truncate text-sm text-muted">{chat.user.name}</span>
                <span className="text-sm text-muted tabular-nums sm:text-right">{dateTime(chat.updatedAt)}</span>
              </a>
            </li>
          ))}
          {chats.length === 0 && <li className="px-4 py-8 text-center text-muted">No chat matches.</li>}
        </ul>
      )}
      {data && data.length >= pageSize && !complete && <Button onClick={() => void more().catch(() => undefined)}>Older chats</Button>}
    </section>
  );
}
