export function Tile({ label, value }: { label: string; value: string }) {
  return (
    <div
      data-testid={label.toLowerCase().replace(" ", "-")}
      className="border-line px-5 py-4 not-first:border-l max-lg:nth-3:border-l-0 max-lg:nth-[n+3]:border-t"
    >
      <p className="text-sm text-muted">{label}</p>
      <p className="font-serif text-3xl font-medium tabular-nums">{value}</p>
    </div>
  );
}
