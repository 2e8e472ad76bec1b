const MAX_LENGTH = 4096;

/**
 * Text of any origin as one line that may be logged or shown on a terminal: no control characters, no line
 * separators, no lone surrogates, at most 4096 UTF-16 code units.
 */
export function onOneLine(text: string): string {
  const line = text
    // First of all: what follows takes time for each character.
    .slice(0, MAX_LENGTH + 1)
    .replace(/\p{Surrogate}/gu, "\uFFFD")
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .trimEnd();
  if (line.length <= MAX_LENGTH) return line;
  // Cut before a code point, never inside it.
  return `${line.slice(0, MAX_LENGTH - 1).replace(/\p{Surrogate}$/u, "")}…`;
}
