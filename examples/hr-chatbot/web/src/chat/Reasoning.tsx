import { Fold } from "../ui/Fold";

export function Reasoning({ text }: { text: string }) {
  return (
    <Fold icon="thought" testId="reasoning" title={<span className="text-muted">Thoughts</span>}>
      <p className="whitespace-pre-wrap text-muted wrap-anywhere">{text}</p>
    </Fold>
  );
}
