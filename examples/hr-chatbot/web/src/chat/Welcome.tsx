import { useState } from "react";
import type { User } from "../api/account";
import { wording } from "../api/request";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Notice } from "../ui/Notice";
import { Progress } from "../ui/Progress";
import { useLoaded } from "../ui/useLoaded";
import { Composer } from "./Composer";
import { VacationCard } from "../account/VacationCard";
import { getVacation } from "../api/vacation";

const ideas = [
  "How many unused days of leave can I carry over?",
  "What may a hotel night cost on a business trip?",
  "How many vacation days do I have left?",
];

interface Props {
  user: User;
  onSend: (text: string) => Promise<void>;
}

export function Welcome({ user, onSend }: Props) {
  const { data: vacation } = useLoaded(getVacation, "vacation");
  const offered = vacation ? [...ideas, `Please book a day off on ${vacation.freeFriday}`] : ideas;
  const [picked, setPicked] = useState<{ idea: string; error?: unknown } | null>(null);

  const pick = async (idea: string) => {
    setPicked({ idea });
    try {
      await onSend(idea);
    } catch (error) {
      setPicked({ idea, error });
    }
  };

  return (
    <div className="min-h-0 flex-1 scrollbar-even overflow-y-auto">
      <div className="mx-auto flex min-h-full w-full max-w-3xl flex-col justify-center gap-6 px-4 py-10 sm:px-6">
        <header>
          <h2 className="font-serif text-3xl leading-tight font-medium tracking-tight sm:text-4xl">
            Good to see you, {user.name.split(" ")[0]}.
          </h2>
          <p className="mt-2 max-w-prose text-muted">
            Ask about leave, travel, expenses, benefits or conduct. Every answer names the passage of the
            handbook it comes from.
          </p>
        </header>
        <Composer onSend={onSend} />
        <ul className="grid gap-2 sm:grid-cols-2" aria-label="Questions to begin with">
          {offered.map((idea) => (
            <li key={idea}>
              <button
                type="button"
                onClick={() => void pick(idea)}
                className="flex h-full w-full items-center gap-3 rounded-card border border-line bg-surface px-4 py-3 text-left text-sm hover:border-accent"
              >
                <span className="flex-1">{idea}</span>
                <Icon name="chevron" className="size-3.5 text-muted" />
              </button>
            </li>
          ))}
        </ul>
        {picked && !picked.error && <Progress label="Sending…" />}
        {picked?.error != null && (
          <Notice tone="bad" action={<Button onClick={() => void pick(picked.idea)}>Send again</Button>}>
            Your question was not sent. {wording(picked.error)}
          </Notice>
        )}
        {vacation && <VacationCard vacation={vacation} />}
      </div>
    </div>
  );
}
