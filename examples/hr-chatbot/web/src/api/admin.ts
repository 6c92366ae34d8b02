import { withQuery } from "./query";
import { request } from "./request";

export interface Percentiles {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

/** One bar of a chart. Tokens and costs that nobody reported are null, never 0. */
export interface UsageRow {
  key: string;
  requests: number;
  inputTokens: number | null;
  outputTokens: number | null;
  cost: string | number | null;
  errors: number;
  errorRate: number;
  latencyMs: Percentiles;
  firstTokenMs: Percentiles;
}

export type Dimension = "day" | "model" | "user";

export interface AuditedChat {
  id: string;
  title: string | null;
  user?: { id: string; name: string; email: string } | string | null;
  updatedAt: string;
}

export interface AuditedMessage {
  id: string;
  runId: string | null;
  seq: number;
  role: "system" | "user" | "assistant" | "tool";
  status: string;
  text: string;
  reasoning: string | null;
  model: string | null;
  finishReason: string | null;
  createdAt: string;
}

export interface AuditedToolCall {
  id: string;
  messageId: string;
  callId: string;
  name: string;
  arguments: unknown;
  status: string;
  result: unknown;
  error: string | null;
  durationMs: number | null;
}

export interface AuditedRequest {
  id: string;
  messageId: string | null;
  provider: string | null;
  model: string | null;
  status: string;
  httpStatus: number | null;
  errorType: string | null;
  error: string | null;
  startedAt: string;
  latencyMs: number | null;
  firstTokenMs: number | null;
  inputTokens: number | null;
  outputTokens: number | null;
  cost: string | number | null;
}

export interface AuditTrail {
  chat: AuditedChat;
  messages: AuditedMessage[];
  toolCalls: AuditedToolCall[];
  requests: AuditedRequest[];
  runs: { id: string; status: string; error: string | null }[];
}

export async function getUsage(by: Dimension, since: string): Promise<UsageRow[]> {
  const answer = await request<UsageRow[] | { rows: UsageRow[] }>(
    withQuery("/api/admin/usage", { by, since }),
  );
  return Array.isArray(answer) ? answer : answer.rows;
}

export const findChats = (search: string, before?: string | null) =>
  request<{ chats: AuditedChat[]; next: string | null }>(
    withQuery("/api/admin/chats", { search, before }),
  );

export const getAuditTrail = (id: string) =>
  request<AuditTrail>(`/api/admin/chats/${encodeURIComponent(id)}`);
