/** A value as a message shows it: in one line, short, whatever it is. */
export function shown(value: unknown): string {
  if (typeof value === "number" || value === undefined) return String(value);
  if (typeof value === "bigint") return `${value}n`;
  return json(value)?.slice(0, 40) ?? typeof value;
}

/** Undefined for what JSON has no form for: functions, and objects with cycles or bigints in them. */
function json(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
