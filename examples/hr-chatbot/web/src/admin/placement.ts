import type { AuditedMessage, AuditedRequest, AuditedToolCall, AuditTrail } from "../api/admin";

/** A call, with what was sent to the model for it and the number of that message. */
export interface PlacedCall extends AuditedToolCall {
  sent: { seq: number; content: unknown; metadata?: unknown } | null;
}

export interface Placed {
  message: AuditedMessage;
  calls: PlacedCall[];
  requests: AuditedRequest[];
}

/** Everything under the message it belongs to. What only hands on results is shown under their calls. */
export function placed({ messages, toolCalls, requests }: AuditTrail): { rows: Placed[]; rest: AuditedRequest[] } {
  const seqs = new Map(messages.map(({ id, seq }) => [id, seq]));
  const results = messages.filter(({ role }) => role === "tool");
  const shown = new Set<AuditedMessage>();

  const calls = toolCalls.map((call): PlacedCall => {
    const asked = seqs.get(call.messageId) ?? 0;
    const result = results.find((message) => message.seq > asked && resultIn(message, call.callId));
    if (!result) return { ...call, sent: null };
    shown.add(result);
    const { content, metadata } = resultIn(result, call.callId) ?? {};
    return { ...call, sent: { seq: result.seq, content, metadata } };
  });
  const rows = messages.map((message) => ({
    message,
    calls: calls.filter(({ messageId }) => messageId === message.id),
    requests: requests.filter(({ messageId }) => messageId === message.id),
  }));
  return {
    rows: rows.filter(({ message }) => !shown.has(message)),
    rest: requests.filter(({ messageId }) => !messageId || !seqs.has(messageId)),
  };
}

const resultIn = (message: AuditedMessage, callId: string) =>
  message.content?.parts?.find((part) => part.tool_call_id === callId);
