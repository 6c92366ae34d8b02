import { Fold } from "../ui/Fold";
import { JsonTree } from "../ui/JsonTree";
import { duration } from "../ui/format";
import type { PlacedCall } from "./placement";
import { Status } from "./Status";

/** A call as it was stored: the arguments the model gave, the raw result the tool gave back. */
export function AuditToolCall({ call }: { call: PlacedCall }) {
  return (
    <Fold
      icon="tool"
      testId="audit-tool-call"
      title={<code className="font-medium">{call.name}</code>}
      trailing={
        <span className="flex items-baseline gap-3 text-xs">
          <span className="text-muted tabular-nums">{duration(call.durationMs)}</span>
          <Status status={call.status} />
        </span>
      }
    >
      <div className="space-y-3 text-[0.8125rem]">
        <Part label="Arguments" value={call.arguments} />
        {call.error && <Part label="Error" value={call.error} />}
        {call.result !== null || !call.sent ? (
          <Part label={call.sent ? `Raw result, sent as #${call.sent.seq}` : "Raw result"} value={call.result} />
        ) : (
          <Part label={`Sent to the model as #${call.sent.seq}`} value={call.sent.content} />
        )}
        {call.sent?.metadata != null && <Part label="On record only" value={call.sent.metadata} />}
      </div>
    </Fold>
  );
}

function Part({ label, value }: { label: string; value: unknown }) {
  return (
    <section>
      <h4 className="mb-1 text-xs font-semibold text-muted">{label}</h4>
      <div className="overflow-x-auto">
        <JsonTree value={value} />
      </div>
    </section>
  );
}
