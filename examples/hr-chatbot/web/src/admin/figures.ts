import type { UsageRow } from "../api/admin";

const quiet = { p50: null, p95: null, p99: null };

export const costOf = (row: UsageRow) => (row.cost == null ? null : Number(row.cost));

/** The sums over all rows; a cost that no row knows stays unknown. */
export function overall(rows: UsageRow[]) {
  const sum = (of: (row: UsageRow) => number | null) => rows.reduce((total, row) => total + (of(row) ?? 0), 0);
  const requests = sum((row) => row.requests);
  return {
    requests,
    tokens: sum((row) => (row.inputTokens ?? 0) + (row.outputTokens ?? 0)),
    cost: rows.some((row) => row.cost != null) ? sum(costOf) : null,
    errorRate: requests ? sum((row) => row.errors) / requests : null,
  };
}

/** A row for every day since `since`, so that a day without a request is a gap in the chart. */
export function withMissingDays(rows: UsageRow[], since: string): UsageRow[] {
  const known = new Map(rows.map((row) => [row.key.slice(0, 10), row]));
  const days: UsageRow[] = [];
  for (let at = Date.parse(since); at <= Date.now(); at += 86_400_000) {
    const key = new Date(at).toISOString().slice(0, 10);
    days.push(known.get(key) ?? emptyDay(key));
  }
  return days;
}

const emptyDay = (key: string): UsageRow => ({
  key,
  requests: 0,
  inputTokens: null,
  outputTokens: null,
  cost: null,
  errors: 0,
  errorRate: 0,
  latencyMs: quiet,
  firstTokenMs: quiet,
});
