import type { ReactNode } from "react";
import { Icon, type IconName } from "./Icon";

interface Props {
  icon: IconName;
  title: ReactNode;
  trailing?: ReactNode;
  open?: boolean;
  testId?: string;
  children: ReactNode;
}

/** A card that shows its title, and the rest when asked. */
export function Fold({ icon, title, trailing, open, testId, children }: Props) {
  return (
    <details
      open={open}
      data-testid={testId}
      className="group/fold overflow-hidden rounded-card border border-line bg-surface text-sm"
    >
      <summary className="flex min-h-10 items-center gap-2 px-3 py-2 hover:bg-sunken/60">
        <Icon name={icon} className="size-4 text-accent" />
        <span className="min-w-0 flex-1 truncate">{title}</span>
        {trailing}
        <Icon name="chevron" className="size-3.5 text-muted transition-transform group-open/fold:rotate-90" />
      </summary>
      <div className="border-t border-line px-3 py-3">{children}</div>
    </details>
  );
}
