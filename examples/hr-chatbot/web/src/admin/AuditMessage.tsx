import { applicationModel } from "../api/admin";
import { dateTime, words } from "../ui/format";
import { AuditRequests } from "./AuditRequests";
import { AuditToolCall } from "./AuditToolCall";
import type { Placed } from "./placement";
import { Status } from "./Status";

export function AuditMessage({ message, calls, requests }: Placed) {
  const isStep = message.model === applicationModel;
  return (
    <li className="overflow-hidden rounded-card border border-line bg-surface" data-testid="audit-message">
      <header className="flex flex-wrap items-baseline gap-x-3 border-b border-line bg-sunken/60 px-4 py-2 text-sm">
        <span className="text-muted tabular-nums">#{message.seq}</span>
        <strong className="font-semibold">{words(message.role)}</strong>
        <Status status={message.status} />
        {message.model && (
          <span className="text-muted">{isStep ? "a step of the application, without an LLM" : message.model}</span>
        )}
        <time className="ml-auto text-muted tabular-nums" dateTime={message.createdAt}>
          {dateTime(message.createdAt)}
        </time>
      </header>
      <div className="space-y-3 px-4 py-3 empty:hidden">
        {message.reasoning && (
          <details className="text-sm text-muted">
            <summary className="rounded hover:text-ink">Reasoning</summary>
            <p className="mt-1 whitespace-pre-wrap wrap-anywhere">{message.reasoning}</p>
          </details>
        )}
        {message.text && <p className="whitespace-pre-wrap wrap-anywhere">{message.text}</p>}
        {calls.map((call) => (
          <AuditToolCall key={call.id} call={call} />
        ))}
        {requests.length > 0 && !isStep && <AuditRequests requests={requests} />}
      </div>
    </li>
  );
}
