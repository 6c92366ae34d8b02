import { type DragEvent, useState } from "react";
import { type DocumentSummary, uploadDocument } from "../api/handbook";
import { wording } from "../api/request";
import { Icon } from "../ui/Icon";
import { Notice } from "../ui/Notice";
import { UploadProgress } from "./UploadProgress";

type State =
  | { step: "idle" }
  | { step: "sending"; name: string; share: number }
  | { step: "done"; title: string; replaced: boolean }
  | { step: "failed"; error: unknown };

interface Props {
  /** The document that the file takes the place of; without it, the file is another document. */
  replaces?: DocumentSummary;
  /** Names that there are: a new file of such a name replaces what was uploaded under it. */
  known?: string[];
  onDone: () => void;
}

/** Takes a document by choosing or dropping it, and tells how far it is. */
export function Upload({ replaces, known = [], onDone }: Props) {
  const [state, setState] = useState<State>({ step: "idle" });
  const [over, setOver] = useState(false);
  const sending = state.step === "sending";

  const take = async (file: File | undefined) => {
    if (!file || sending) return;
    setState({ step: "sending", name: file.name, share: 0 });
    try {
      const added = await uploadDocument(file, replaces?.name, (share) =>
        setState({ step: "sending", name: file.name, share }),
      );
      setState({ step: "done", title: added.title, replaced: Boolean(replaces) || known.includes(added.name) });
      onDone();
    } catch (error) {
      setState({ step: "failed", error });
    }
  };

  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void take(event.dataTransfer.files[0]);
  };

  return (
    <section aria-label={replaces ? "Replace this document" : "Add a document"} className="space-y-2" data-testid="upload">
      <label
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
        className={`flex items-center gap-4 rounded-card border border-dashed px-5 py-4 focus-within:border-accent ${over ? "border-accent bg-accent-soft" : "border-line bg-surface"} ${sending ? "opacity-60" : "cursor-pointer hover:border-accent"}`}
      >
        <Icon name="upload" className="size-6 text-accent" />
        <span className="flex-1">
          <span className="block font-medium">{replaces ? "Replace this document" : "Add a document"}</span>
          <span className="block text-sm text-muted">
            {replaces ? `Choose a .${replaces.kind} file or drop it here.` : "Markdown, text or PDF. Choose a file or drop it here."}
          </span>
        </span>
        <input
          type="file"
          accept={replaces ? `.${replaces.kind}` : ".md,.txt,.pdf"}
          disabled={sending}
          aria-label="Choose a document"
          className="sr-only"
          onChange={(event) => {
            void take(event.target.files?.[0]);
            event.target.value = "";
          }}
        />
      </label>
      {state.step === "sending" && <UploadProgress name={state.name} share={state.share} />}
      {state.step === "done" && (
        <p role="status" className="flex items-center gap-2 text-sm text-accent">
          <Icon name="approve" /> “{state.title}” {state.replaced ? "was replaced" : "is in the handbook"}.
        </p>
      )}
      {state.step === "failed" && <Notice tone="bad">{wording(state.error)}</Notice>}
    </section>
  );
}
