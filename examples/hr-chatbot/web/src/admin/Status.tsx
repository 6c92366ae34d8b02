import { words } from "../ui/format";

const tones: Record<string, string> = {
  complete: "text-accent",
  failed: "text-bad",
  denied: "text-bad",
  interrupted: "text-warn",
  awaiting_approval: "text-warn",
};

export function Status({ status }: { status: string }) {
  return <span className={`text-xs font-medium ${tones[status] ?? "text-muted"}`}>{words(status)}</span>;
}
