const LEVEL_NAMES: Readonly<Record<string, string>> = {
  trace: "TRACE",
  debug: "DEBUG",
  info: "INFO ",
  warn: "WARN ",
  error: "ERROR",
  fatal: "FATAL",
};

/** What every line has, and a reader at the console knows. */
const HIDDEN = new Set(["level", "time", "process", "pid", "msg", "err"]);

/**
 * A pino line as a person reads it: `12:03:59 INFO  worker-1: joined  jobId=… incarnation=0`.
 * An error's stack stays in the log file.
 */
export function toConsoleLine(jsonLine: string): string {
  const record = JSON.parse(jsonLine) as Record<string, unknown>;
  const { level, time, process: name, msg, err } = record;
  const extras = Object.entries(record)
    .filter(([key]) => !HIDDEN.has(key))
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const message = asText(msg) ?? errorText(err) ?? "";
  const what = [`${asText(name) ?? ""}: ${message}`, ...extras].join("  ");
  return `${clockTime(asText(time))} ${LEVEL_NAMES[asText(level) ?? ""] ?? "?"} ${printable(what)}`;
}

function asText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function errorText(error: unknown): string | undefined {
  const hasMessage = typeof error === "object" && error !== null && "message" in error;
  return hasMessage ? asText(error.message) : undefined;
}

/** Hours, minutes and seconds, UTC as in the log file. */
function clockTime(isoTime = ""): string {
  return isoTime.slice("YYYY-MM-DDT".length, "YYYY-MM-DDTHH:MM:SS".length);
}

/** Names come from other machines: no control character of theirs reaches a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
}
