import { useWaited } from "./useWaited";

/** Something that moves for as long as somebody waits, or counts; with a caret where words are next. */
export function Progress({ label, caret = false }: { label: string; caret?: boolean }) {
  const waited = useWaited();
  return (
    <p data-testid="progress" className="flex animate-arrive items-center gap-2 text-sm text-muted">
      <span className="size-2 animate-pulse-soft rounded-full bg-accent" />
      <span>
        {label}
        {waited > 0 && <span className="tabular-nums"> {waited} s</span>}
        {caret && <span aria-hidden="true" className="caret" />}
      </span>
    </p>
  );
}
