import type { UsageRow } from "../api/admin";

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
  const known = new Map(rows.map((row) => [(row.day ?? "").slice(0, 10), row]));
  const days: UsageRow[] = [];
  for (let at = Date.parse(since); at <= Date.now(); at += 86_400_000) {
    const day = new Date(at).toISOString().slice(0, 10);
    days.push(known.get(day) ?? emptyDay(day));
  }
  return days;
}

const emptyDay = (day: string): UsageRow => ({
  day,
  requests: 0,
  inputTokens: null,
  outputTokens: null,
  cost: null,
  unpricedRequests: 0,
  errors: 0,
  errorRate: 0,
  latencyMs: null,
  firstTokenMs: null,
});
