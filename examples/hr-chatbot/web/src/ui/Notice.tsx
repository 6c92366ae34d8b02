import type { ReactNode } from "react";
import { Icon } from "./Icon";

const tones = {
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
} as const;

interface Props {
  tone: keyof typeof tones;
  children: ReactNode;
  action?: ReactNode;
  testId?: string;
}

/** Something that went wrong, and the way on from it. */
export function Notice({ tone, children, action, testId }: Props) {
  return (
    <div
      role={tone === "bad" ? "alert" : "status"}
      data-testid={testId}
      className={`flex flex-wrap items-center gap-x-3 gap-y-2 rounded-xl px-3.5 py-2.5 text-sm ${tones[tone]}`}
    >
      <Icon name="warning" />
      <div className="min-w-40 flex-1 wrap-anywhere">{children}</div>
      {action}
    </div>
  );
}
