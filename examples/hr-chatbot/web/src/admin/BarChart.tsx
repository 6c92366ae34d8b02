interface Series {
  name: string;
  look: string;
  values: number[];
}

interface Props {
  title: string;
  labels: string[];
  /** Stacked on each other, first at the bottom. */
  series: Series[];
  format: (value: number) => string;
}

const width = 440;
const height = 200;
const frame = { left: 48, right: 6, top: 12, bottom: 26 };
const plot = { width: width - frame.left - frame.right, height: height - frame.top - frame.bottom };

export function BarChart({ title, labels, series, format }: Props) {
  const totals = labels.map((_, index) => series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0));
  const top = niceCeiling(Math.max(...totals, 0));
  const y = (value: number) => frame.top + plot.height * (1 - value / top);
  const step = plot.width / labels.length;
  const every = Math.ceil(labels.length / 6);
  return (
    <figure className="rounded-card border border-line bg-surface p-4" data-testid="chart">
      <figcaption className="flex items-baseline justify-between">
        <span className="font-medium">{title}</span>
        {series.length > 1 && <Legend series={series} />}
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={summary(title, labels, totals, format)} className="mt-2 w-full">
        {[0, 0.5, 1].map((share) => (
          <g key={share}>
            <line x1={frame.left} x2={width - frame.right} y1={y(top * share)} y2={y(top * share)} className="stroke-line" />
            <text x={frame.left - 8} y={y(top * share) + 4} textAnchor="end" className="fill-muted text-[11px] tabular-nums">
              {format(top * share)}
            </text>
          </g>
        ))}
        {Math.max(...totals) === 0 && (
          <text x={width / 2} y={y(top / 2) - 10} textAnchor="middle" className="fill-muted text-[12px]">
            Nothing on record
          </text>
        )}
        {labels.map((label, index) => (
          <g key={label}>
            <Bar series={series} index={index} x={frame.left + step * index} step={step} y={y} />
            {index % every === 0 && (
              <text x={frame.left + step * (index + 0.5)} y={height - 8} textAnchor="middle" className="fill-muted text-[11px]">
                {label}
              </text>
            )}
            <rect x={frame.left + step * index} y={frame.top} width={step} height={plot.height} className="fill-transparent hover:fill-ink/5">
              <title>{`${label}: ${series.map(({ name, values }) => `${name} ${format(values[index] ?? 0)}`).join(", ")}`}</title>
            </rect>
          </g>
        ))}
      </svg>
    </figure>
  );
}

interface BarProps {
  series: Series[];
  index: number;
  x: number;
  step: number;
  y: (value: number) => number;
}

function Bar({ series, index, x, step, y }: BarProps) {
  const breadth = Math.min(step * 0.68, 28);
  let below = 0;
  return series.map(({ name, look, values }) => {
    const from = below;
    below += values[index] ?? 0;
    const tall = y(from) - y(below);
    return tall > 0 && (
      <rect key={name} x={x + (step - breadth) / 2} y={y(below)} width={breadth} height={Math.max(tall, 1)} rx={Math.min(2.5, breadth / 3)} className={look} />
    );
  });
}

function Legend({ series }: { series: Series[] }) {
  return (
    <span className="flex gap-3 text-xs text-muted">
      {series.map(({ name, look }) => (
        <span key={name} className="flex items-center gap-1.5">
          <svg viewBox="0 0 8 8" className="size-2" aria-hidden="true">
            <rect width="8" height="8" rx="2" className={look} />
          </svg>
          {name}
        </span>
      ))}
    </span>
  );
}

/** The next 1, 2, 4, 6, 8 or 10 times a power of ten, so that the middle line is a round number. */
function niceCeiling(value: number) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 4, 6, 8, 10].find((factor) => factor * power >= value) ?? 10);
}

function summary(title: string, labels: string[], totals: number[], format: (value: number) => string) {
  const most = totals.indexOf(Math.max(...totals));
  const sum = totals.reduce((total, value) => total + value, 0);
  return `${title}, ${labels[0]} to ${labels.at(-1)}: ${format(sum)} in all, most on ${labels[most]} with ${format(totals[most] ?? 0)}`;
}
