import { useState } from "react";
import { Button } from "../ui/Button";
import { Fields } from "../ui/Fields";
import { Icon } from "../ui/Icon";
import { words } from "../ui/format";

interface Props {
  name: string;
  input: unknown;
  onRespond: (approved: boolean, reason?: string) => void;
}

/** A call that waits until somebody has read its arguments and said yes or no. */
export function Approval({ name, input, onRespond }: Props) {
  const [reason, setReason] = useState("");
  return (
    <section
      aria-label={`Approval needed: ${words(name)}`}
      data-testid="approval"
      className="rounded-card border border-second/60 bg-surface p-4 shadow-lift"
    >
      <h4 className="flex items-center gap-2 font-semibold">
        <Icon name="calendar" className="size-4.5 text-warn" />
        {words(name)}: your approval is needed
      </h4>
      <Fields of={input} className="mt-3" />
      <div className="mt-4 flex flex-wrap items-center gap-2">
        <Button look="primary" onClick={() => onRespond(true)}>
          <Icon name="approve" /> Approve
        </Button>
        <Button onClick={() => onRespond(false, reason.trim() || undefined)}>Deny</Button>
        <input
          value={reason}
          onChange={(event) => setReason(event.target.value)}
          aria-label="Reason for denying"
          placeholder="Reason, if you deny"
          className="min-h-9 min-w-40 flex-1 rounded-lg border border-line bg-paper px-3 text-sm placeholder:text-muted"
        />
      </div>
    </section>
  );
}
