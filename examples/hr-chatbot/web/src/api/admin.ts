import type { User } from "./account";
import { withQuery } from "./query";
import { request } from "./request";

export interface Percentiles {
  p50: number;
  p95: number;
  p99: number;
}

/** A group of requests. Tokens and costs that nobody reported are null, never 0. */
export interface UsageRow {
  day?: string;
  model?: string | null;
  user?: string | null;
  requests: number;
  inputTokens: number | null;
  outputTokens: number | null;
  cost: string | number | null;
  unpricedRequests: number;
  errors: number;
  errorRate: number;
  latencyMs: Percentiles | null;
  firstTokenMs: Percentiles | null;
}

export type Dimension = "day" | "model" | "user";

export interface AuditedChat {
  id: string;
  title: string | null;
  user: User;
  updatedAt: string;
}

/** In place of a model's name: a step that the application took itself, without an LLM. */
export const applicationModel = "application";

export interface AuditedMessage {
  id: string;
  runId: string | null;
  seq: number;
  role: "system" | "user" | "assistant" | "tool";
  status: string;
  text: string;
  reasoning: string | null;
  model: string | null;
  /** The message as it was sent; of a tool's result, the calls that it answers, and what was not sent. */
  content: { parts?: { tool_call_id?: string | null; content?: unknown; metadata?: unknown }[] } | null;
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

export interface AuditedRun {
  id: string;
  status: string;
  instructions: string | null;
  error: { message?: string } | string | null;
}

export interface AuditTrail extends AuditedChat {
  messages: AuditedMessage[];
  toolCalls: AuditedToolCall[];
  requests: AuditedRequest[];
  runs: AuditedRun[];
}

export const getUsage = (by: Dimension, since: string) =>
  request<UsageRow[]>(withQuery("/api/admin/usage", { by, since }));

/** A page of everybody's chats, newest first; `before` is the id of the last one seen. */
export const findChats = (search: string, before?: string) =>
  request<AuditedChat[]>(withQuery("/api/admin/chats", { search, before }));

export const getAuditTrail = (id: string) =>
  request<AuditTrail>(`/api/admin/chats/${encodeURIComponent(id)}`);
