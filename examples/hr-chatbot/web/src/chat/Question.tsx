import { useState } from "react";
import { Button } from "../ui/Button";
import { IconButton } from "../ui/IconButton";

interface Props {
  text: string;
  locked: boolean;
  onEdit: (text: string) => void;
}

export function Question({ text, locked, onEdit }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const cancel = () => setDraft(null);
  const save = () => {
    if (!draft?.trim()) return;
    setDraft(null);
    onEdit(draft.trim());
  };

  if (draft === null) {
    return (
      <div className="group/question flex items-start justify-end gap-1" data-testid="question">
        <IconButton
          icon="edit"
          label="Edit question"
          disabled={locked}
          onClick={() => setDraft(text)}
          className="opacity-0 group-focus-within/question:opacity-100 group-hover/question:opacity-100 pointer-coarse:opacity-100"
        />
        <p className="max-w-[85%] rounded-2xl rounded-br-md bg-accent-soft px-4 py-2.5 whitespace-pre-wrap wrap-anywhere">
          {text}
        </p>
      </div>
    );
  }
  return (
    <form
      aria-label="Edit question"
      className="ml-auto w-full max-w-[85%] space-y-2"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <textarea
        autoFocus
        aria-label="Question"
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") cancel();
          if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault();
            save();
          }
        }}
        className="field-sizing-content max-h-60 w-full resize-none rounded-2xl border border-accent bg-surface px-4 py-2.5"
      />
      <div className="flex justify-end gap-2">
        <Button look="quiet" onClick={cancel}>
          Cancel
        </Button>
        <Button look="primary" type="submit" disabled={!draft.trim()}>
          Ask again
        </Button>
      </div>
    </form>
  );
}
