// How things are written.

// What a terminal or a browser would act on, and what is not seen: shown by its number.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A name or message that may hold anything. */
export const clean = (text) =>
  String(text ?? "").replace(UNSEEN, (sign) =>
    "\\u" + sign.codePointAt(0).toString(16).padStart(4, "0"));

export function duration(ms) {
  if (ms === null || ms === undefined) return "";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.round((ms % 60_000) / 1000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function age(time, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

export const clock = (time) =>
  new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

export function bytes(count) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = count, unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export const number = (value) => value.toLocaleString("en");

export const plural = (count, one, many = one + "s") => `${number(count)} ${count === 1 ? one : many}`;

/** The middle gives way: both ends of a path tell more. */
export function shorten(text, limit) {
  if (text.length <= limit) return text;
  const tail = Math.ceil((limit - 1) * 0.6);
  return text.slice(0, limit - 1 - tail) + "…" + text.slice(text.length - tail);
}
