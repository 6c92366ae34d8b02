import type { UsageRow } from "../api/admin";
import { count, money, percent } from "../ui/format";
import { costOf } from "./figures";
import { LatencyRange, latencyScale } from "./LatencyRange";

interface Props {
  title: string;
  rows: UsageRow[];
  nameOf: (row: UsageRow) => string | null | undefined;
}

export function UsageTable({ title, rows, nameOf }: Props) {
  const most = Math.max(...rows.map((row) => costOf(row) ?? 0));
  const scale = latencyScale(rows.flatMap(({ latencyMs, firstTokenMs }) => [latencyMs, firstTokenMs]));
  return (
    <section aria-label={title} className="overflow-x-auto rounded-card border border-line bg-surface">
      <table className="w-full min-w-176 text-sm">
        <thead className="text-left text-xs text-muted">
          <tr className="border-b border-line [&>th]:px-3 [&>th]:py-2.5 [&>th]:first:pl-4 [&>th]:font-medium">
            <th className="text-sm text-ink">{title}</th>
            <th>Cost</th>
            <th className="text-right">Tokens in / out</th>
            <th className="text-right">Requests</th>
            <th className="text-right">Errors</th>
            <th>
              First token
              <br />
              p50 · p95 · p99
            </th>
            <th>
              Whole request
              <br />
              p50 · p95 · p99
            </th>
          </tr>
        </thead>
        <tbody className="tabular-nums">
          {rows.map((row, index) => (
            <tr key={index} className="border-b border-line last:border-0 [&>td]:px-3 [&>td]:py-2.5 [&>td]:first:pl-4">
              <td className="max-w-44 truncate font-medium" title={nameOf(row) ?? undefined}>
                {nameOf(row) ?? "unknown"}
              </td>
              <td>
                <CostBar cost={costOf(row)} most={most} />
              </td>
              <td className="text-right whitespace-nowrap">
                {count(row.inputTokens)} / {count(row.outputTokens)}
              </td>
              <td className="text-right">{count(row.requests)}</td>
              <td className={`text-right whitespace-nowrap ${row.errors ? "font-medium text-bad" : ""}`}>{percent(row.errorRate)}</td>
              <td>
                <LatencyRange times={row.firstTokenMs} scale={scale} />
              </td>
              <td>
                <LatencyRange times={row.latencyMs} scale={scale} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <p className="px-4 py-8 text-center text-muted">No requests in this period.</p>}
    </section>
  );
}

function CostBar({ cost, most }: { cost: number | null; most: number }) {
  return (
    <div className="flex items-center gap-2">
      <span className="w-16">{money(cost)}</span>
      <svg viewBox="0 0 56 8" className="h-2 w-14" aria-hidden="true">
        <rect width="56" height="8" rx="4" className="fill-sunken" />
        {cost != null && most > 0 && <rect width={Math.max((56 * cost) / most, 2)} height="8" rx="4" className="fill-accent" />}
      </svg>
    </div>
  );
}
