import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { wording } from "../api/request";
import { Icon } from "../ui/Icon";
import { Notice } from "../ui/Notice";
import { Progress } from "../ui/Progress";

interface Props {
  busy?: boolean;
  stopping?: boolean;
  /** Why nothing can be asked just now. */
  blocked?: string | null;
  /** Rejects when the question could not be taken: it then stays in the box. */
  onSend: (text: string) => void | Promise<void>;
  onStop?: () => void;
}

export function Composer({ busy = false, stopping = false, blocked = null, onSend, onStop }: Props) {
  const [text, setText] = useState("");
  const [sending, setSending] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const box = useRef<HTMLTextAreaElement>(null);
  const why = useId();
  const ready = text.trim() !== "" && !busy && !sending && !blocked;

  // On a phone the keyboard would cover what is to be read.
  const focus = () => matchMedia("(pointer: fine)").matches && box.current?.focus();

  useEffect(() => {
    if (!blocked) focus();
  }, [blocked]);

  const submit = async () => {
    if (!ready) return;
    setSending(true);
    setError(null);
    try {
      await onSend(text.trim());
      setText("");
    } catch (failure) {
      setError(failure);
    } finally {
      setSending(false);
      focus();
    }
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      void submit();
    }
    if (event.key === "Escape" && busy) onStop?.();
  };

  return (
    <form
      aria-label="Ask a question"
      className="space-y-2"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {error != null && <Notice tone="bad">Your question was not sent. {wording(error)}</Notice>}
      {blocked && (
        <p id={why} className="flex items-center gap-2 px-1 text-sm text-muted" data-testid="blocked">
          <Icon name="warning" className="size-4 text-warn" /> {blocked}
        </p>
      )}
      <div className="flex items-end gap-2 rounded-2xl border border-line bg-surface p-2 pl-4 shadow-lift focus-within:border-accent">
        <textarea
          ref={box}
          rows={1}
          disabled={blocked !== null}
          aria-describedby={blocked ? why : undefined}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          aria-label="Your question"
          placeholder="Ask the handbook…"
          data-testid="composer"
          className="field-sizing-content max-h-52 min-h-9 flex-1 resize-none bg-transparent py-1.5 outline-none placeholder:text-muted disabled:cursor-not-allowed disabled:opacity-60"
        />
        {busy ? (
          <button
            key="stop"
            type="button"
            aria-label={stopping ? "Stopping" : "Stop"}
            title="Stop (Esc)"
            disabled={stopping}
            onClick={onStop}
            className="grid size-9 shrink-0 place-items-center rounded-xl bg-ink text-paper disabled:opacity-50"
          >
            <Icon name="stop" />
          </button>
        ) : (
          <button
            key="send"
            type="submit"
            aria-label="Send"
            title="Send (Enter)"
            disabled={!ready}
            className="grid size-9 shrink-0 place-items-center rounded-xl bg-accent text-on-accent disabled:bg-sunken disabled:text-muted"
          >
            <Icon name="send" />
          </button>
        )}
      </div>
      {sending && <Progress label="Sending…" />}
    </form>
  );
}
