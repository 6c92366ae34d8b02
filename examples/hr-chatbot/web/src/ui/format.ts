const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const shortDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const compact = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

const unknown = "–";

export const dateTime = (iso: string) => time.format(new Date(iso));

export const day = (iso: string) => shortDay.format(new Date(iso));

export const count = (value: number | null | undefined) => (value == null ? unknown : compact.format(value));

/** "1 request", "2 requests". */
export const counted = (value: number, thing: string) => `${count(value)} ${thing}${value === 1 ? "" : "s"}`;

export const percent = (share: number | null | undefined) =>
  share == null ? unknown : `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

/** US dollars, with as many digits as a small sum needs to be seen. */
export function money(value: string | number | null | undefined) {
  if (value == null) return unknown;
  const amount = Number(value);
  const digits = amount === 0 || amount >= 0.1 ? 2 : amount >= 0.01 ? 3 : 5;
  return `$${amount.toFixed(digits)}`;
}

export function duration(ms: number | null | undefined) {
  if (ms == null) return unknown;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

/** Times side by side, in one unit. */
export function durations(times: number[]) {
  const inSeconds = Math.max(...times) >= 1000;
  const shown = times.map((ms) => (inSeconds ? (ms / 1000).toFixed(ms < 100 ? 2 : ms < 10_000 ? 1 : 0) : Math.round(ms)));
  return `${shown.join(" · ")} ${inSeconds ? "s" : "ms"}`;
}

/** `request_time_off` as a person would write it: "Request time off". */
export function words(name: string) {
  const spaced = name.replace(/[_-]+/g, " ").replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
