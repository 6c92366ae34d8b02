import { useCallback, useEffect, useRef, useState } from "react";
import { type Chat, deleteChat, listChats, renameChat } from "../api/chats";
import { ApiError } from "../api/request";
import { onTabChange, tellTabs } from "../chat/tabs";

const lookEvery = 2000;

/** The list of chats, looked at again every two seconds while the page is seen. */
export function useChats() {
  const [search, setSearch] = useState("");
  const [chats, setChats] = useState<Chat[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const wanted = useRef(search);
  const older = useRef<Chat[]>([]);

  const look = useCallback(async () => {
    const asked = wanted.current;
    try {
      const list = await listChats(asked);
      if (asked !== wanted.current) return;
      const seen = new Set(list.chats.map((chat) => chat.id));
      setChats([...list.chats, ...older.current.filter((chat) => !seen.has(chat.id))]);
      if (older.current.length === 0) setNext(list.next);
      setError(null);
    } catch (failure) {
      if (!(failure instanceof ApiError && failure.isOffline)) setError(failure);
    }
  }, []);

  useEffect(() => {
    wanted.current = search;
    older.current = [];
    const soon = setTimeout(() => void look(), search ? 250 : 0);
    return () => clearTimeout(soon);
  }, [search, look]);

  useEffect(() => {
    const lookIfSeen = () => {
      if (document.visibilityState === "visible") void look();
    };
    const timer = setInterval(lookIfSeen, lookEvery);
    document.addEventListener("visibilitychange", lookIfSeen);
    const silence = onTabChange(() => void look());
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", lookIfSeen);
      silence();
    };
  }, [look]);

  const find = (id: string | null) => chats?.find((chat) => chat.id === id);

  return {
    chats,
    error,
    search,
    setSearch,
    reload: () => void look(),
    updatedAt: (id: string) => find(id)?.updatedAt,
    titleOf: (id: string | null) => find(id)?.title ?? null,
    more: next
      ? async () => {
          const list = await listChats(search, next);
          older.current = [...older.current, ...list.chats];
          setChats((known) => [...(known ?? []), ...list.chats]);
          setNext(list.next);
        }
      : null,
    rename: async (id: string, title: string) => {
      await renameChat(id, title);
      tellTabs(id);
      await look();
    },
    remove: async (id: string) => {
      await deleteChat(id);
      older.current = older.current.filter((chat) => chat.id !== id);
      tellTabs(id);
      await look();
    },
  };
}

export type Chats = ReturnType<typeof useChats>;
