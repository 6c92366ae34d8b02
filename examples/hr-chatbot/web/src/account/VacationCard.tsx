import type { Vacation } from "../api/vacation";
import { Icon } from "../ui/Icon";
import { day } from "../ui/format";

export function VacationCard({ vacation: { year, entitled, left, requests } }: { vacation: Vacation }) {
  return (
    <section
      aria-label="Your time off"
      data-testid="vacation"
      className="flex flex-wrap items-center gap-x-5 gap-y-2 border-t border-line pt-5 text-sm text-muted"
    >
      <p className="flex items-center gap-2">
        <Icon name="calendar" className="size-4.5 text-accent" />
        <span>
          <strong className="font-semibold text-ink tabular-nums">{left}</strong> of {entitled} vacation days left in {year}
        </span>
      </p>
      {requests.slice(-3).map(({ firstDay, lastDay, days }) => (
        <p key={firstDay} className="tabular-nums">
          {firstDay === lastDay ? day(firstDay) : `${day(firstDay)} – ${day(lastDay)}`} · {days} booked
        </p>
      ))}
    </section>
  );
}
