import type { Percentiles } from "../api/admin";
import { durations } from "../ui/format";

/** Places a time from 0 to 100 on a logarithmic line that holds all of `times`. */
export function latencyScale(times: (Percentiles | null)[]) {
  const known = times.flatMap((it) => (it ? [it.p50, it.p99] : [])).filter((ms) => ms > 0);
  const low = Math.log(Math.min(...known, 1000));
  const high = Math.log(Math.max(...known, 1));
  return (ms: number) => (high <= low ? 50 : (100 * (Math.log(Math.max(ms, 1)) - low)) / (high - low));
}

interface Props {
  times: Percentiles | null;
  scale: (ms: number) => number;
}

/** Half of the requests up to the dot, 95 of 100 up to the tick, 99 up to the end of the line. */
export function LatencyRange({ times, scale }: Props) {
  if (!times) return <span className="text-muted">–</span>;
  const { p50, p95, p99 } = times;
  const x = (ms: number) => 4 + scale(ms) * 1.12;
  return (
    <div>
      <span className="block whitespace-nowrap">{durations([p50, p95, p99])}</span>
      <svg viewBox="0 0 120 10" className="h-2.5 w-30" aria-hidden="true">
        <line x1="4" x2="116" y1="5" y2="5" className="stroke-line" />
        <line x1={x(p50)} x2={x(p99)} y1="5" y2="5" strokeWidth="2" className="stroke-accent" />
        <line x1={x(p95)} x2={x(p95)} y1="1.5" y2="8.5" strokeWidth="1.5" className="stroke-accent" />
        <circle cx={x(p50)} cy="5" r="3" className="fill-accent" />
      </svg>
    </div>
  );
}
