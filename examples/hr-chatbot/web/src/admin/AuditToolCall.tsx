import type { AuditedToolCall } from "../api/admin";
import { Fold } from "../ui/Fold";
import { JsonTree } from "../ui/JsonTree";
import { duration } from "../ui/format";
import { Status } from "./Status";

/** A call as it was stored: the arguments the model gave, the raw result the tool gave back. */
export function AuditToolCall({ call }: { call: AuditedToolCall }) {
  return (
    <Fold
      icon="tool"
      testId="audit-tool-call"
      title={<code className="font-medium">{call.name}</code>}
      aside={
        <span className="flex items-baseline gap-3 text-xs">
          <span className="text-muted tabular-nums">{duration(call.durationMs)}</span>
          <Status status={call.status} />
        </span>
      }
    >
      <div className="space-y-3 text-[0.8125rem]">
        <Part label="Arguments" value={call.arguments} />
        {call.error && <Part label="Error" value={call.error} />}
        <Part label="Raw result" value={call.result} />
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
