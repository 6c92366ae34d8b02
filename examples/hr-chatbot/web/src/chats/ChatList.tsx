import { wording } from "../api/request";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Loading } from "../ui/Loading";
import { Notice } from "../ui/Notice";
import { ChatRow } from "./ChatRow";
import { FoundMessages } from "./FoundMessages";
import { groupByAge } from "./age";
import type { Chats } from "./useChats";

export function ChatList({ chats, current }: { chats: Chats; current: string | null }) {
  return (
    <nav aria-label="Chats" className="flex min-h-0 flex-1 flex-col">
      <label className="relative mx-3 mt-3 mb-1 block">
        <span className="sr-only">Search chats</span>
        <Icon name="search" className="absolute top-2.5 left-2.5 size-4 text-muted" />
        <input
          type="search"
          value={chats.search}
          onChange={(event) => chats.setSearch(event.target.value)}
          placeholder="Search chats"
          maxLength={255}
          className="min-h-9 w-full rounded-lg border border-line bg-surface pr-2 pl-8.5 text-sm placeholder:text-muted"
        />
      </label>
      <div className="min-h-0 flex-1 scrollbar-stable overflow-y-auto pr-1 pb-3 pl-3">
        {chats.error != null && <Notice tone="bad">{wording(chats.error)}</Notice>}
        {chats.chats === null && chats.error == null && (
          <div className="p-2">
            <Loading label="Loading the chats" lines={5} />
          </div>
        )}
        {chats.chats?.length === 0 && (
          <p className="px-2 py-6 text-center text-sm text-muted">
            {chats.search ? "No title matches." : "Your chats will appear here."}
          </p>
        )}
        {groupByAge(chats.chats ?? []).map(([age, group]) => (
          <section key={age}>
            <h3 className="px-2 pt-3 pb-1 text-xs font-medium text-muted">{age}</h3>
            <ul>
              {group.map((chat) => (
                <ChatRow key={chat.id} chat={chat} current={chat.id === current} chats={chats} />
              ))}
            </ul>
          </section>
        ))}
        {chats.search && <FoundMessages search={chats.search} />}
        {chats.more && (
          <Button look="quiet" className="mt-1 w-full" onClick={() => void chats.more?.().catch(() => undefined)}>
            Older chats
          </Button>
        )}
      </div>
    </nav>
  );
}
