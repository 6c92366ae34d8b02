import { errorOf, request } from "./request";

export interface Passage {
  id: string;
  document: string;
  title: string;
  heading: string | null;
  page: number | null;
  text: string;
  /** What an answer cites it by; only in the result of a search. */
  number?: number;
  /** How well it matched; the server tells administrators only. */
  score?: number;
}

export interface DocumentSummary {
  name: string;
  title: string;
  kind: string;
  /** Only what was uploaded can be replaced and removed here. */
  origin: "handbook" | "upload";
}

export interface Section {
  heading: string | null;
  page: number | null;
  text: string;
  passageIds: string[];
}

/** A document in sections, or in pages where it has them. */
export interface HandbookDocument extends DocumentSummary {
  sections?: Section[];
  pages?: Section[];
}

export const sectionsOf = (document: HandbookDocument) => document.sections ?? document.pages ?? [];

export const getPassage = (id: string) => request<Passage>(`/api/passages/${encodeURIComponent(id)}`);

export const getDocument = (name: string) =>
  request<HandbookDocument>(`/api/documents/${encodeURIComponent(name)}`);

export const listDocuments = () => request<DocumentSummary[]>("/api/documents");

export const removeDocument = (name: string) =>
  request<void>(`/api/documents/${encodeURIComponent(name)}`, { method: "DELETE" });

/**
 * Sends a file, as a new document or in place of the one named `replaces`; `onProgress` hears the
 * share that has left this machine, from 0 to 1.
 */
export function uploadDocument(
  file: File,
  replaces: string | undefined,
  onProgress: (share: number) => void,
): Promise<DocumentSummary> {
  const { promise, resolve, reject } = Promise.withResolvers<DocumentSummary>();
  const upload = new XMLHttpRequest();
  if (replaces === undefined) upload.open("POST", "/api/documents");
  else upload.open("PUT", `/api/documents/${encodeURIComponent(replaces)}`);
  upload.upload.onprogress = (event) => onProgress(event.total ? event.loaded / event.total : 0);
  upload.onerror = () => reject(errorOf(0, ""));
  upload.onload = () =>
    upload.status < 300
      ? resolve(JSON.parse(upload.responseText) as DocumentSummary)
      : reject(errorOf(upload.status, upload.responseText));
  const form = new FormData();
  form.append("file", file);
  upload.send(form);
  return promise;
}
