import { memo } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import type { Passage } from "../api/handbook";
import { Citation } from "./Citation";
import { citations } from "./citations";
import { OutsideLink, safeAddress } from "./OutsideLink";

interface Props {
  text: string;
  passages?: Passage[];
  onCite?: (passage: Passage) => void;
}

const remark = [remarkGfm];
const rehype = [citations];

/** Markdown as elements: HTML in it stays text, links go nowhere by themselves, images never load. */
export const Markdown = memo(MarkdownText, sameText);

/** Passages are only ever added while an answer is written, so their number tells them apart. */
function sameText(before: Props, after: Props) {
  return before.text === after.text && before.passages?.length === after.passages?.length;
}

function MarkdownText({ text, passages = [], onCite }: Props) {
  const components: Components = {
    a: ({ href, children }) => (href ? <OutsideLink href={href}>{children}</OutsideLink> : <>{children}</>),
    img: ({ alt }) => <span className="text-muted">[image: {alt || "no description"}]</span>,
    cite: ({ node, children }) => {
      const number = Number(node?.properties.dataNumber);
      const passage = passages.find((passage) => passage.number === number);
      return passage && onCite ? (
        <Citation number={number} passage={passage} onOpen={onCite} />
      ) : (
        <>{children}</>
      );
    },
  };
  return (
    <div className="prose wrap-anywhere">
      <ReactMarkdown
        remarkPlugins={remark}
        rehypePlugins={rehype}
        components={components}
        urlTransform={safeAddress}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
}
