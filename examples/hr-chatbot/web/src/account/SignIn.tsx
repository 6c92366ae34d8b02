import { type FormEvent, useState } from "react";
import { type DemoAccount, signIn, type User } from "../api/account";
import { wording } from "../api/request";
import { Brand } from "../ui/Brand";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Notice";
import { ThemeToggle } from "../ui/ThemeToggle";

interface Props {
  demo: DemoAccount[];
  onSignedIn: (user: User) => void;
}

const field =
  "mt-1 min-h-11 w-full rounded-xl border border-line bg-surface px-3.5 focus:border-accent";

export function SignIn({ demo, onSignedIn }: Props) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [waiting, setWaiting] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const fill = (newEmail: string, newPassword: string) => {
    setEmail(newEmail);
    setPassword(newPassword);
    setError(null); // it was about what stood there before
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setWaiting(true);
    setError(null);
    try {
      onSignedIn(await signIn(email.trim(), password));
    } catch (failure) {
      setError(failure);
      setWaiting(false);
    }
  };

  return (
    <main className="flex min-h-full flex-col items-center justify-center gap-6 px-4 py-10">
      <div className="absolute top-3 right-3">
        <ThemeToggle />
      </div>
      <div className="w-full max-w-sm">
        <Brand />
        <h1 className="mt-8 font-serif text-3xl font-medium tracking-tight">Sign in</h1>
        <p className="mt-1 text-muted">Ask the staff handbook. Every answer names its source.</p>
        <form className="mt-6 space-y-4" onSubmit={(event) => void submit(event)}>
          <label className="block text-sm font-medium">
            E-mail
            <input
              type="email"
              name="email"
              autoComplete="username"
              required
              autoFocus
              value={email}
              onChange={(event) => fill(event.target.value, password)}
              className={field}
            />
          </label>
          <label className="block text-sm font-medium">
            Password
            <input
              type="password"
              name="password"
              autoComplete="current-password"
              required
              value={password}
              onChange={(event) => fill(email, event.target.value)}
              className={field}
            />
          </label>
          {error != null && <Notice tone="bad">{wording(error)}</Notice>}
          <Button type="submit" look="primary" disabled={waiting} className="min-h-11 w-full rounded-xl">
            {waiting ? "Signing in…" : "Sign in"}
          </Button>
        </form>
        {demo.length > 0 && (
          <section aria-label="Demo accounts" className="mt-8 border-t border-line pt-5">
            <h2 className="text-sm font-medium text-muted">Demo accounts</h2>
            <ul className="mt-2 space-y-1.5">
              {demo.map((account) => (
                <li key={account.email}>
                  <button
                    type="button"
                    onClick={() => fill(account.email, account.password)}
                    className="flex w-full items-baseline gap-2 rounded-xl border border-line bg-surface px-3.5 py-2 text-left text-sm hover:border-accent"
                  >
                    <span className="font-medium">{account.name}</span>
                    <span className="min-w-0 flex-1 truncate text-muted">{account.email}</span>
                    {account.role === "administrator" && <span className="text-xs text-accent">administrator</span>}
                  </button>
                </li>
              ))}
            </ul>
          </section>
        )}
      </div>
    </main>
  );
}
