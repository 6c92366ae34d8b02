import { useEffect, useRef } from "react";
import type { Passage, Section } from "../api/handbook";
import { Markdown } from "../chat/Markdown";

interface Props {
  sections: Section[];
  marked?: Passage;
}

/** The text of a document; the marked passage is scrolled to. */
export function Sections({ sections, marked }: Props) {
  const mark = useRef<HTMLElement>(null);
  useEffect(() => {
    mark.current?.scrollIntoView({ block: "center" });
  }, [marked]);
  return (
    <div className="space-y-5">
      {sections.map((section, index) => (
        <section key={index} className="text-[0.9375rem]">
          {section.heading && <h3 className="mb-1.5 font-serif text-lg font-semibold">{section.heading}</h3>}
          {section.page && <p className="mb-1 text-xs text-muted">Page {section.page}</p>}
          {marked && section.passageIds.includes(marked.id) ? (
            <Marked text={section.text} passage={marked.text} mark={mark} />
          ) : (
            <Markdown text={section.text} />
          )}
        </section>
      ))}
    </div>
  );
}

interface MarkedProps {
  text: string;
  passage: string;
  mark: React.RefObject<HTMLElement | null>;
}

/** Marks the passage alone where it stands word for word in the section, else the section. */
function Marked({ text, passage, mark }: MarkedProps) {
  const at = text.indexOf(passage);
  const [before, within, after] =
    at < 0 ? ["", text, ""] : [text.slice(0, at), passage, text.slice(at + passage.length)];
  return (
    <>
      {before.trim() && <Markdown text={before} />}
      <mark
        ref={mark}
        data-testid="marked-passage"
        className="my-2 block scroll-my-8 rounded-lg border-l-4 border-second bg-mark px-3 py-2 text-ink"
      >
        <Markdown text={within} />
      </mark>
      {after.trim() && <Markdown text={after} />}
    </>
  );
}
