import { useEffect, useRef } from "react";
import { getDocument, getPassage, type Passage, sectionsOf } from "../api/handbook";
import { Failure } from "../ui/Failure";
import { IconButton } from "../ui/IconButton";
import { Loading } from "../ui/Loading";
import { links } from "../ui/useRoute";
import { useLoaded } from "../ui/useLoaded";
import { Sections } from "./Sections";

interface Props {
  passage: Passage;
  onClose: () => void;
}

async function load(id: string) {
  const passage = await getPassage(id);
  return { passage, document: await getDocument(passage.document) };
}

/** The document that a citation points into, with the passage marked. */
export function SourcePanel({ passage, onClose }: Props) {
  const { data, error, retry } = useLoaded(() => load(passage.id), passage.id);
  const panel = useRef<HTMLElement>(null);

  useEffect(() => {
    const opener = document.activeElement;
    panel.current?.focus();
    const close = (event: KeyboardEvent) => event.key === "Escape" && onClose();
    window.addEventListener("keydown", close);
    return () => {
      window.removeEventListener("keydown", close);
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, [onClose]);

  return (
    <aside
      ref={panel}
      tabIndex={-1}
      aria-label={`Source: ${passage.title}`}
      data-testid="source-panel"
      className="flex w-110 shrink-0 animate-arrive flex-col border-l border-line bg-surface outline-none max-lg:fixed max-lg:inset-0 max-lg:z-40 max-lg:w-auto"
    >
      <header className="flex items-start gap-2 border-b border-line py-3 pr-2 pl-5">
        <div className="min-w-0 flex-1">
          <h2 className="font-serif text-lg leading-snug font-semibold">{passage.title}</h2>
          <a href={links.document(passage.document)} className="text-sm text-accent underline underline-offset-2">
            Open the whole document
          </a>
        </div>
        <IconButton icon="close" label="Close the source" onClick={onClose} />
      </header>
      <div className="min-h-0 flex-1 scrollbar-stable overflow-y-auto px-5 py-4">
        {error ? (
          <Failure error={error} onRetry={retry} />
        ) : data ? (
          <Sections sections={sectionsOf(data.document)} marked={data.passage} />
        ) : (
          <Loading label="Loading the source" lines={8} />
        )}
      </div>
    </aside>
  );
}
