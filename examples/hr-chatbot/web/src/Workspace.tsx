import { useCallback, useEffect, useState } from "react";
import { RoleContext } from "./account/role";
import type { User } from "./api/account";
import { type ChatDetail, newChat } from "./api/chats";
import { useReachable } from "./api/connection";
import type { Passage } from "./api/handbook";
import { ChatPage } from "./chat/ChatPage";
import { Welcome } from "./chat/Welcome";
import { Sidebar } from "./chats/Sidebar";
import { useChats } from "./chats/useChats";
import { HandbookPage } from "./handbook/HandbookPage";
import { SourcePanel } from "./handbook/SourcePanel";
import { IconButton } from "./ui/IconButton";
import { go, links, useRoute } from "./ui/useRoute";
import { product, useTitle } from "./ui/useTitle";

interface Props {
  user: User;
  onSignOut: () => Promise<void>;
}

export function Workspace({ user, onSignOut }: Props) {
  const route = useRoute();
  const reachable = useReachable();
  const chats = useChats();
  const [drawer, setDrawer] = useState(false);
  const [source, setSource] = useState<Passage | null>(null);
  const [fresh, setFresh] = useState<{ detail: ChatDetail; question: string } | null>(null);
  const chatId = route.page === "chat" ? route.id : null;
  const place = location.hash;

  useEffect(() => {
    setDrawer(false);
    setSource(null);
    setFresh((begun) => (begun?.detail.chat.id === chatId ? begun : null)); // asked once, not at each return
  }, [place]);

  const title = titleOf(route.page, chats.titleOf(chatId));
  useTitle(title);

  const start = async (question: string) => {
    const chat = await newChat(question.length > 60 ? `${question.slice(0, 57).trimEnd()}…` : question);
    setFresh({ detail: { chat, messages: [], next: null, activeRun: null }, question });
    chats.reload();
    go(links.chat(chat.id));
  };
  const closeSource = useCallback(() => setSource(null), []);

  return (
    <RoleContext value={user.role}>
      <div className="flex h-full overflow-hidden">
        <a
          href="#main"
          onClick={(event) => {
            event.preventDefault();
            document.getElementById("main")?.focus();
          }}
          className="sr-only z-50 rounded-lg bg-accent px-4 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
        >
          Skip to the chat
        </a>
        <Sidebar
          user={user}
          chats={chats}
          route={route}
          open={drawer}
          onClose={() => setDrawer(false)}
          onSignOut={onSignOut}
        />
        <main id="main" tabIndex={-1} className="flex min-w-0 flex-1 flex-col outline-none">
          <header className="flex items-center gap-1 border-b border-line px-2 py-1.5 md:hidden">
            <IconButton icon="menu" label="Open the menu" aria-expanded={drawer} onClick={() => setDrawer(true)} />
            <h1 className="min-w-0 flex-1 truncate font-serif font-semibold">{title}</h1>
            <IconButton icon="plus" label="New chat" onClick={() => go(links.home)} />
          </header>
          {!reachable && (
            <p
              role="status"
              data-testid="offline"
              className="flex items-center justify-center gap-2 bg-warn-soft px-4 py-1.5 text-sm text-warn"
            >
              <span className="size-2 animate-pulse-soft rounded-full bg-warn" />
              The server cannot be reached. Trying again…
            </p>
          )}
          {route.page === "handbook" ? (
            <HandbookPage user={user} name={route.document} />
          ) : chatId ? (
            <ChatPage
              key={chatId}
              id={chatId}
              fresh={fresh?.detail.chat.id === chatId ? fresh : null}
              changedAt={chats.updatedAt(chatId)}
              onOpen={setSource}
            />
          ) : (
            <Welcome user={user} onSend={start} />
          )}
        </main>
        {source && <SourcePanel key={source.id} passage={source} onClose={closeSource} />}
      </div>
    </RoleContext>
  );
}

function titleOf(page: string, chat: string | null) {
  if (page === "handbook") return "Handbook";
  return chat ?? product;
}
