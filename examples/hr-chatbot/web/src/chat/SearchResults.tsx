import type { Passage } from "../api/handbook";
import { placeOf } from "../handbook/place";

interface Props {
  passages: Passage[];
  onOpen: (passage: Passage) => void;
}

export function SearchResults({ passages, onOpen }: Props) {
  return (
    <ol className="space-y-1.5">
      {passages.map((passage) => (
        <li key={passage.id}>
          <button
            type="button"
            data-testid="search-result"
            onClick={() => onOpen(passage)}
            className="w-full rounded-lg border border-line bg-paper px-3 py-2 text-left hover:border-accent"
          >
            <span className="flex items-baseline gap-2">
              <span className="text-xs font-semibold text-accent">{passage.number}</span>
              <span className="min-w-0 flex-1 truncate font-medium">{placeOf(passage)}</span>
              {passage.score != null && (
                <span className="text-xs text-muted tabular-nums" title="Score of the search">
                  {passage.score.toFixed(3)}
                </span>
              )}
            </span>
            <span className="mt-0.5 line-clamp-2 text-muted">{passage.text}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}
