import { useSyncExternalStore } from "react";

export type Route =
  | { page: "chat"; id: string | null }
  | { page: "handbook"; document: string | null };

const subscribe = (listener: () => void) => {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
};

/** Where the address points. It stands behind the #, so that any file server can serve the page. */
export function useRoute(): Route {
  return parse(useSyncExternalStore(subscribe, () => location.hash));
}

function parse(hash: string): Route {
  const [page, ...rest] = hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  if (page === "handbook") return { page, document: rest[0] ?? null };
  return { page: "chat", id: (page === "chats" && rest[0]) || null };
}

export const links = {
  home: "#/",
  chat: (id: string) => `#/chats/${encodeURIComponent(id)}`,
  handbook: "#/handbook",
  document: (name: string) => `#/handbook/${encodeURIComponent(name)}`,
  /** A page of the server's own. */
  administration: "/administration/",
};

export const go = (link: string) => {
  location.hash = link;
};
