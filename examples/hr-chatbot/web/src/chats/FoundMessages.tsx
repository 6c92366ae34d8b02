import { useEffect, useState } from "react";
import { type Hit, searchMessages } from "../api/chats";
import { wording } from "../api/request";
import { Notice } from "../ui/Notice";
import { useLoaded } from "../ui/useLoaded";
import { links } from "../ui/useRoute";

const patience = 250;

/** What was said in the chats of who is signed in, below the titles that match. */
export function FoundMessages({ search }: { search: string }) {
  const query = useSettled(search.trim());
  const { data, error } = useLoaded(
    () => (query ? searchMessages(query) : Promise.resolve({ hits: [], next: null })),
    query,
  );
  const hits = (data?.hits ?? []).filter((hit) => hit.role !== "title");
  if (error != null) return <Notice tone="bad">{wording(error)}</Notice>;
  if (!query || hits.length === 0) return null;
  return (
    <section aria-label="Found in what was said">
      <h3 className="px-2 pt-3 pb-1 text-xs font-medium text-muted">In what was said</h3>
      <ul>
        {hits.map((hit) => (
          <li key={hit.messageId} data-testid="found-message">
            <a href={links.chat(hit.chatId)} className="block rounded-lg px-2 py-1.5 text-sm hover:bg-surface">
              <span className="block truncate">{hit.title || "Untitled chat"}</span>
              <Snippet hit={hit} />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Snippet({ hit }: { hit: Hit }) {
  return (
    <span className="line-clamp-2 text-xs text-muted">
      {hit.role === "user" ? "You: " : ""}
      {hit.snippet.map((part, place) =>
        part.match ? (
          <mark key={place} className="bg-transparent font-semibold text-inherit">
            {part.text}
          </mark>
        ) : (
          part.text
        ),
      )}
    </span>
  );
}

/** The value, once it has not changed for a moment. */
function useSettled(value: string) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const soon = setTimeout(() => setSettled(value), patience);
    return () => clearTimeout(soon);
  }, [value]);
  return settled;
}
