import { applicationModel, getAuditTrail } from "../api/admin";
import { Failure } from "../ui/Failure";
import { Loading } from "../ui/Loading";
import { counted, dateTime, money } from "../ui/format";
import { links } from "../ui/useRoute";
import { useLoaded } from "../ui/useLoaded";
import { AuditMessage } from "./AuditMessage";
import { AuditRequests } from "./AuditRequests";
import { placed } from "./placement";

export function AuditTrailView({ id }: { id: string }) {
  const { data, error, retry } = useLoaded(() => getAuditTrail(id), id);
  if (error) return <Failure error={error} onRetry={retry} />;
  if (!data) return <Loading label="Loading the audit trail" lines={12} />;

  const { rows, rest } = placed(data);
  const requests = data.requests.filter(({ model }) => model !== applicationModel);
  const priced = requests.filter((request) => request.cost != null);
  const cost = priced.reduce((sum, request) => sum + Number(request.cost), 0);
  return (
    <section className="space-y-6" aria-labelledby="trail" data-testid="audit-trail">
      <header>
        <a href={links.admin} className="text-sm text-accent underline underline-offset-2">
          Back to administration
        </a>
        <h2 id="trail" className="mt-2 font-serif text-3xl leading-tight font-medium tracking-tight">
          {data.title || "Untitled chat"}
        </h2>
        <p className="mt-1 text-muted tabular-nums">
          {data.user.name} · {dateTime(data.updatedAt)} · {counted(data.messages.length, "message")} ·{" "}
          {counted(requests.length, "request")} · {priced.length ? money(cost) : "no cost on record"}
        </p>
      </header>
      <ol className="space-y-4">
        {rows.map((row) => (
          <AuditMessage key={row.message.id} {...row} />
        ))}
      </ol>
      {rest.length > 0 && (
        <div className="space-y-2">
          <h3 className="font-medium">Requests without a message</h3>
          <AuditRequests requests={rest} />
        </div>
      )}
    </section>
  );
}
