import type { AuditedRequest } from "../api/admin";
import { count, duration, money } from "../ui/format";
import { Status } from "./Status";

/** One line for each attempt at a provider. */
export function AuditRequests({ requests }: { requests: AuditedRequest[] }) {
  return (
    <div className="overflow-x-auto">
      <table className="w-full min-w-140 text-[0.8125rem] tabular-nums" data-testid="audit-requests">
        <thead className="text-left text-xs text-muted">
          <tr className="[&>th]:py-1 [&>th]:pr-4 [&>th]:font-medium">
            <th>Request</th>
            <th>Status</th>
            <th className="text-right">In</th>
            <th className="text-right">Out</th>
            <th className="text-right">First token</th>
            <th className="text-right">Latency</th>
            <th className="text-right">Cost</th>
          </tr>
        </thead>
        <tbody>
          {requests.map((request) => (
            <tr key={request.id} className="border-t border-line align-top [&>td]:py-1.5 [&>td]:pr-4">
              <td className="wrap-anywhere">{[request.provider, request.model].filter(Boolean).join(" · ") || "unknown"}</td>
              <td>
                <Status status={request.status} />
                {request.httpStatus && <span className="text-muted"> {request.httpStatus}</span>}
                {request.error && <span className="block text-bad wrap-anywhere">{request.error}</span>}
              </td>
              <td className="text-right">{count(request.inputTokens)}</td>
              <td className="text-right">{count(request.outputTokens)}</td>
              <td className="text-right">{duration(request.firstTokenMs)}</td>
              <td className="text-right">{duration(request.latencyMs)}</td>
              <td className="text-right">{money(request.cost)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
