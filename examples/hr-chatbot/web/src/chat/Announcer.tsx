import { useEffect, useState } from "react";
import { type ChatMessage, textOf } from "./message";

/** Tells a screen reader that an answer is coming, and reads it once it is whole. */
export function Announcer({ busy, last }: { busy: boolean; last: ChatMessage | undefined }) {
  const [begun, setBegun] = useState(false);
  useEffect(() => {
    if (busy) setBegun(true);
  }, [busy]);
  const said = busy ? "The assistant is answering." : begun && last?.role === "assistant" ? textOf(last) : "";
  return (
    <div aria-live="polite" className="sr-only" data-testid="announcer">
      {said}
    </div>
  );
}
