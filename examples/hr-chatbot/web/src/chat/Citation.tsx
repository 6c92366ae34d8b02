import type { Passage } from "../api/handbook";
import { placeOf } from "../handbook/place";

interface Props {
  number: number;
  passage: Passage;
  onOpen: (passage: Passage) => void;
}

export function Citation({ number, passage, onOpen }: Props) {
  return (
    <sup className="mx-0.5">
      <button
        type="button"
        data-testid="citation"
        aria-label={`Source ${number}: ${placeOf(passage)}`}
        title={placeOf(passage)}
        onClick={() => onOpen(passage)}
        className="inline-grid h-5 min-w-5 place-items-center rounded-md bg-accent-soft px-1 text-xs leading-none font-semibold text-accent hover:bg-accent hover:text-on-accent"
      >
        {number}
      </button>
    </sup>
  );
}
