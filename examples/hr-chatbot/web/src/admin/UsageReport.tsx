import { useState } from "react";
import { applicationModel, getUsage } from "../api/admin";
import { Failure } from "../ui/Failure";
import { Loading } from "../ui/Loading";
import { count, day, money, percent } from "../ui/format";
import { useLoaded } from "../ui/useLoaded";
import { BarChart } from "./BarChart";
import { costOf, overall, withMissingDays } from "./figures";
import { Tile } from "./Tile";
import { UsageTable } from "./UsageTable";

const periods = { "7 days": 7, "30 days": 30, "90 days": 90 };
type Period = keyof typeof periods;

const sinceOf = (days: number) => new Date(Date.now() - (days - 1) * 86_400_000).toISOString().slice(0, 10);

async function load(since: string) {
  const [days, models, users] = await Promise.all([
    getUsage("day", since),
    getUsage("model", since),
    getUsage("user", since),
  ]);
  return {
    days: withMissingDays(days, since),
    models: models.filter(({ model }) => model !== applicationModel),
    steps: models.find(({ model }) => model === applicationModel)?.requests ?? 0,
    users,
  };
}

export function UsageReport() {
  const [period, setPeriod] = useState<Period>("30 days");
  const since = sinceOf(periods[period]);
  const { data, error, retry } = useLoaded(() => load(since), since);
  const total = data && overall(data.days);
  const days = data?.days.map((row) => day(row.day ?? "")) ?? [];
  return (
    <section className="space-y-6" aria-labelledby="usage">
      <header className="flex flex-wrap items-end justify-between gap-3">
        <div>
          <h2 id="usage" className="font-serif text-3xl font-medium tracking-tight">
            Usage
          </h2>
          <p className="mt-1 text-muted">Every request to an LLM counts, failed ones too.</p>
        </div>
        <label className="text-sm text-muted">
          Period{" "}
          <select
            value={period}
            onChange={(event) => setPeriod(event.target.value as Period)}
            className="ml-1 min-h-9 rounded-lg border border-line bg-surface px-2 text-ink"
          >
            {Object.keys(periods).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      </header>
      {error ? (
        <Failure error={error} onRetry={retry} />
      ) : !data || !total ? (
        <Loading label="Loading the usage" lines={10} />
      ) : (
        <>
          <div className="grid grid-cols-2 overflow-hidden rounded-card border border-line bg-surface lg:grid-cols-4">
            <Tile label="Cost" value={money(total.cost)} />
            <Tile label="Tokens" value={count(total.tokens)} />
            <Tile label="Requests" value={count(total.requests)} />
            <Tile label="Error rate" value={percent(total.errorRate)} />
          </div>
          <div className="grid gap-6 lg:grid-cols-2">
            <BarChart
              title="Cost per day"
              labels={days}
              series={[{ name: "Cost", look: "fill-accent", values: data.days.map((row) => costOf(row) ?? 0) }]}
              format={money}
            />
            <BarChart
              title="Tokens per day"
              labels={days}
              series={[
                { name: "Input", look: "fill-accent", values: data.days.map((row) => row.inputTokens ?? 0) },
                { name: "Output", look: "fill-second", values: data.days.map((row) => row.outputTokens ?? 0) },
              ]}
              format={count}
            />
          </div>
          <div className="space-y-2">
            <UsageTable title="By model" rows={data.models} nameOf={(row) => row.model} />
            {data.steps > 0 && (
              <p className="px-1 text-sm text-muted" data-testid="steps">
                The application itself took {count(data.steps)} {data.steps === 1 ? "step" : "steps"} without an LLM.
                They count in no figure here.
              </p>
            )}
          </div>
          <UsageTable title="By user" rows={data.users} nameOf={(row) => row.user} />
        </>
      )}
    </section>
  );
}
