import type { Vacation } from "../api/vacation";
import { Icon } from "../ui/Icon";
import { day } from "../ui/format";

export function VacationCard({ vacation: { balance, requests } }: { vacation: Vacation }) {
  return (
    <section
      aria-label="Your time off"
      data-testid="vacation"
      className="flex flex-wrap items-center gap-x-5 gap-y-2 border-t border-line pt-5 text-sm text-muted"
    >
      <p className="flex items-center gap-2">
        <Icon name="calendar" className="size-4.5 text-accent" />
        <span>
          <strong className="font-semibold text-ink tabular-nums">{balance}</strong> days of leave left
        </span>
      </p>
      {requests.slice(0, 3).map(({ start, end, status }) => (
        <p key={`${start}${end}${status}`} className="tabular-nums">
          {start === end ? day(start) : `${day(start)} – ${day(end)}`} · {status}
        </p>
      ))}
    </section>
  );
}
