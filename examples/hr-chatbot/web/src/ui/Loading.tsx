/** Grey lines where text is about to be. */
export function Loading({ label, lines = 3 }: { label: string; lines?: number }) {
  return (
    <div role="status" className="space-y-3" aria-label={label}>
      {Array.from({ length: lines }, (_, line) => (
        <div
          key={line}
          className="h-3.5 animate-pulse-soft rounded-full bg-line"
          style={{ width: `${92 - ((line * 23) % 45)}%` }}
        />
      ))}
    </div>
  );
}
