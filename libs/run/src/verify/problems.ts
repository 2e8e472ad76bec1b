/** What a verification finds wrong: one line each. */

/** Collects problems; the lines of one place begin alike. */
export class Problems {
  readonly lines: string[] = [];

  add(place: string, text: string): void {
    this.lines.push(`${place}: ${text}`);
  }

  /** Adds a problem unless two values are the same. */
  compare(place: string, what: string, found: unknown, expected: unknown): void {
    if (Object.is(found, expected)) return;
    this.add(place, `${what} is ${String(found)}, not ${String(expected)}`);
  }
}
