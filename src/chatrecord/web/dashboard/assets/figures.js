// Numbers, money and times as people read them.

const UNKNOWN = "–";
const whole = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export function count(value) {
  return value === null || value === undefined ? UNKNOWN : whole.format(value);
}

export function short(value) {
  if (value === null || value === undefined) return UNKNOWN;
  return Math.abs(value) < 10_000 ? whole.format(Math.round(value * 100) / 100) : compact.format(value);
}

export function money(value) {
  if (value === null || value === undefined) return UNKNOWN;
  const amount = Number(value);
  if (amount === 0) return "$0";
  if (Math.abs(amount) < 0.001) return `$${amount.toLocaleString("en", { maximumSignificantDigits: 3 })}`;
  const digits = amount >= 100 ? 0 : amount >= 0.1 ? 2 : 4;
  return `$${amount.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

export function time(ms) {
  if (ms === null || ms === undefined) return UNKNOWN;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return `${minutes} min ${Math.round((ms % 60_000) / 1000)} s`;
}

export function percent(share) {
  if (share === null || share === undefined) return UNKNOWN;
  if (share === 0) return "0 %";
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}

export function moment(text) {
  if (!text) return UNKNOWN;
  return new Date(text).toLocaleString("en-GB", {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
  });
}

export function clock(text) {
  return new Date(text).toLocaleTimeString("en-GB");
}

// The name of a period that the server has told: an hour, a day or a month, in UTC.
export function periodName(text, period) {
  const options = {
    hour: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
    day: { day: "numeric", month: "short" },
    month: { month: "short", year: "numeric" },
  }[period];
  return new Date(text).toLocaleString("en-GB", { ...options, timeZone: "UTC" });
}

export function sum(values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  return known.length ? known.reduce((total, value) => total + value, 0) : null;
}
