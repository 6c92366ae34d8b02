import type { ButtonHTMLAttributes } from "react";

const looks = {
  primary: "bg-accent text-on-accent hover:brightness-110 disabled:bg-line disabled:text-muted",
  plain: "border border-line bg-surface hover:bg-sunken disabled:opacity-50",
  quiet: "text-muted hover:bg-sunken hover:text-ink disabled:opacity-50",
  danger: "bg-bad text-surface hover:brightness-110 disabled:opacity-50",
} as const;

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: keyof typeof looks;
}

export function Button({ look = "plain", className = "", type = "button", ...rest }: Props) {
  return (
    <button
      type={type}
      className={`inline-flex min-h-9 items-center justify-center gap-1.5 rounded-lg px-3 py-1.5 text-sm font-medium ${looks[look]} ${className}`}
      {...rest}
    />
  );
}
