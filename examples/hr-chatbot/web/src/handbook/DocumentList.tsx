import { useState } from "react";
import type { DocumentSummary } from "../api/handbook";
import { links } from "../ui/useRoute";

export function DocumentList({ documents }: { documents: DocumentSummary[] }) {
  const [filter, setFilter] = useState("");
  const words = filter.toLowerCase().split(/\s+/);
  const shown = documents.filter(({ title, name }) =>
    words.every((word) => `${title} ${name}`.toLowerCase().includes(word)),
  );
  return (
    <div className="space-y-3">
      <input
        type="search"
        value={filter}
        onChange={(event) => setFilter(event.target.value)}
        aria-label="Filter documents"
        placeholder="Filter by title"
        className="min-h-10 w-full rounded-xl border border-line bg-surface px-3.5 placeholder:text-muted sm:max-w-xs"
      />
      <ul className="grid gap-x-8 sm:grid-cols-2" data-testid="documents">
        {shown.map(({ name, title, kind, origin }) => (
          <li key={name} className="border-b border-line">
            <a href={links.document(name)} className="group flex items-baseline gap-3 py-2.5">
              <span className="min-w-0 flex-1 truncate font-medium group-hover:text-accent">{title}</span>
              {origin === "upload" && <span className="text-xs text-accent">uploaded</span>}
              <span className="text-xs text-muted">{kind}</span>
            </a>
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p className="py-8 text-center text-muted">No document matches.</p>}
    </div>
  );
}
