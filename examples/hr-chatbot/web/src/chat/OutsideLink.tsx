import { Children, type ReactNode } from "react";

const allowed = new Set(["http:", "https:", "mailto:"]);

/** The address, if it is a whole one that a link may have; else nothing, and only its words are shown. */
export function safeAddress(address: string): string {
  const isSafe = URL.canParse(address) && allowed.has(new URL(address).protocol);
  return isSafe ? new URL(address).href : "";
}

/** Says where it leads: what a link's words promise is the model's, or that of a document. */
export function OutsideLink({ href, children }: { href: string; children: ReactNode }) {
  return (
    <a href={href} title={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
      {!isWhole(href, children) && <span className="text-muted"> ({placeOf(href)})</span>}
    </a>
  );
}

function placeOf(href: string) {
  const { protocol, host, pathname } = new URL(href);
  return protocol === "mailto:" ? decoded(pathname) : host;
}

/** Whether its words are the whole address already, with nothing that they leave out. */
function isWhole(href: string, children: ReactNode) {
  const words = Children.toArray(children);
  const text = words.every((it) => typeof it === "string") ? words.join("") : "";
  return href === text || href === `mailto:${text}`;
}

function decoded(text: string) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
