import type { ChatMessage } from "../chat/message";
import { withQuery } from "./query";
import { json, request } from "./request";

export interface Chat {
  id: string;
  title: string | null;
  createdAt: string;
  updatedAt: string;
}

export interface ChatList {
  chats: Chat[];
  next: string | null;
}

export interface Hit {
  chatId: string;
  title: string | null;
  messageId: string | null;
  role: "user" | "assistant" | "title";
  snippet: { text: string; match: boolean }[];
}

export interface Hits {
  hits: Hit[];
  next: string | null;
}

export interface ChatDetail {
  chat: Chat;
  /** The last messages, or those before the number `before`; `next` is the number for the ones before these. */
  messages: ChatMessage[];
  next: number | null;
  activeRun: { id: string } | null;
}

const path = (id: string, rest = "") => `/api/chats/${encodeURIComponent(id)}${rest}`;

export const listChats = (search: string, before?: string | null) =>
  request<ChatList>(withQuery("/api/chats", { limit: 30, search, before }));

/** What was said: the last word may be the beginning of one. */
export const searchMessages = (query: string) =>
  request<Hits>(withQuery("/api/chats/search", { q: /[\p{L}\p{N}]$/u.test(query) ? `${query.slice(0, 254)}*` : query }));

export const newChat = (title: string) => request<Chat>("/api/chats/new", json("POST", { title }));

export const getChat = (id: string, before?: number | null) =>
  request<ChatDetail>(withQuery(path(id), { before }));

export const renameChat = (id: string, title: string) => request<Chat>(path(id), json("PATCH", { title }));

export const deleteChat = (id: string) => request<void>(path(id), { method: "DELETE" });

export const stopAnswer = (id: string) => request<unknown>(path(id, "/stop"), { method: "POST" });
