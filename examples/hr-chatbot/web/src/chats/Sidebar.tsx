import { useEffect } from "react";
import type { User } from "../api/account";
import { Brand } from "../ui/Brand";
import { Icon, type IconName } from "../ui/Icon";
import { IconButton } from "../ui/IconButton";
import { ThemeToggle } from "../ui/ThemeToggle";
import { links, type Route } from "../ui/useRoute";
import { ChatList } from "./ChatList";
import type { Chats } from "./useChats";

interface Props {
  user: User;
  chats: Chats;
  route: Route;
  open: boolean;
  onClose: () => void;
  onSignOut: () => Promise<void>;
}

/** Beside the chat on a wide screen, a drawer over it on a phone. */
export function Sidebar({ user, chats, route, open, onClose, onSignOut }: Props) {
  useEffect(() => {
    if (!open) return;
    const close = (event: KeyboardEvent) => event.key === "Escape" && onClose();
    window.addEventListener("keydown", close);
    return () => window.removeEventListener("keydown", close);
  }, [open, onClose]);

  return (
    <>
      {open && <div aria-hidden="true" onClick={onClose} className="fixed inset-0 z-30 bg-black/45 md:hidden" />}
      <aside
        aria-label="Chats and pages"
        data-testid="sidebar"
        className={`z-40 flex w-76 shrink-0 flex-col border-r border-line bg-sunken transition-transform max-md:fixed max-md:inset-y-0 max-md:left-0 max-md:max-w-[85vw] ${open ? "" : "max-md:invisible max-md:-translate-x-full"}`}
      >
        <div className="flex items-center justify-between px-4 pt-4 pb-3">
          <a href={links.home} className="rounded-lg">
            <Brand />
          </a>
          <IconButton icon="close" label="Close the menu" onClick={onClose} className="md:hidden" />
        </div>
        <div className="px-3">
          <a
            href={links.home}
            data-testid="new-chat"
            className="flex min-h-10 items-center gap-2 rounded-xl bg-accent px-3 text-sm font-medium text-on-accent hover:brightness-110"
          >
            <Icon name="plus" /> New chat
          </a>
        </div>
        <ChatList chats={chats} current={route.page === "chat" ? route.id : null} />
        <nav aria-label="Pages" className="border-t border-line px-3 py-2">
          <PageLink href={links.handbook} icon="book" label="Handbook" current={route.page === "handbook"} />
          {user.role === "administrator" && (
            <PageLink href={links.administration} icon="chart" label="Administration" current={false} />
          )}
        </nav>
        <div className="flex items-center gap-1 border-t border-line py-2 pr-2 pl-4">
          <div className="min-w-0 flex-1 leading-tight">
            <p className="truncate text-sm font-medium" data-testid="user-name">
              {user.name}
            </p>
            <p className="truncate text-xs text-muted">{user.email}</p>
          </div>
          <ThemeToggle />
          <IconButton icon="signOut" label="Sign out" onClick={() => void onSignOut().catch(() => undefined)} />
        </div>
      </aside>
    </>
  );
}

function PageLink({ href, icon, label, current }: { href: string; icon: IconName; label: string; current: boolean }) {
  return (
    <a
      href={href}
      aria-current={current ? "page" : undefined}
      className="flex min-h-9 items-center gap-2.5 rounded-lg px-2 text-sm hover:bg-surface aria-[current]:bg-surface aria-[current]:font-medium"
    >
      <Icon name={icon} className="size-4.5 text-muted" /> {label}
    </a>
  );
}
