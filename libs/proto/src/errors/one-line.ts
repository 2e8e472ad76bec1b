const MAX_LENGTH = 1024;

/**
 * Text of any origin as one line that may be logged, shown on a terminal or sent as a status: no
 * control characters, no line separators, no space at its end, no lone surrogates (gRPC's
 * percent-encoding throws on them), at most `maxLength` UTF-16 code units.
 */
export function onOneLine(text: string, maxLength = MAX_LENGTH): string {
  const line = text
    .replace(/\p{Surrogate}/gu, "\uFFFD")
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .trimEnd();
  if (line.length <= maxLength) return line;
  // Cut before a code point, never inside it.
  return `${line.slice(0, maxLength - 1).replace(/\p{Surrogate}$/u, "")}…`;
}
