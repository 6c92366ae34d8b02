import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { IconButton } from "../ui/IconButton";

/** Stays at the end while `follow` grows, until somebody scrolls up to read. */
export function ScrollArea({ follow, children }: { follow: unknown; children: ReactNode }) {
  const area = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const sticky = useRef(true);

  const toEnd = () => area.current?.scrollTo({ top: area.current.scrollHeight });

  useLayoutEffect(() => {
    if (sticky.current) toEnd();
  }, [follow]);

  useEffect(() => {
    const observer = new ResizeObserver(() => sticky.current && toEnd());
    if (content.current) observer.observe(content.current);
    return () => observer.disconnect();
  }, []);

  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = area.current!;
    sticky.current = scrollHeight - scrollTop - clientHeight < 60;
    setAtEnd(sticky.current);
  };

  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={area}
        onScroll={onScroll}
        tabIndex={-1}
        data-testid="messages"
        className="h-full scrollbar-even overflow-y-auto overscroll-contain outline-none"
      >
        <div ref={content}>{children}</div>
      </div>
      {!atEnd && (
        <IconButton
          icon="down"
          label="Go to the newest message"
          onClick={toEnd}
          className="absolute bottom-3 left-1/2 -translate-x-1/2 border border-line bg-surface shadow-lift"
        />
      )}
    </div>
  );
}
