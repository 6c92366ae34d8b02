import { Fold } from "../ui/Fold";

export function Reasoning({ text, live }: { text: string; live: boolean }) {
  return (
    <Fold icon="thought" testId="reasoning" title={<span className="text-muted">{live ? "Thinking…" : "Thoughts"}</span>}>
      <p className="whitespace-pre-wrap text-muted wrap-anywhere">{text}</p>
    </Fold>
  );
}
