/** NaN and Infinity, which JSON has no numbers for and Python's json.dumps writes all the same. */

export interface NonFiniteNumber {
  /** Such as `inputs[1][0]`. */
  readonly path: string;
  /** As it is written: NaN, Infinity or -Infinity. */
  readonly value: string;
}

const PART = /["[\]{},:]|-?(?:NaN|Infinity)/g;

/**
 * The first such number of a text that is JSON but for them.
 *
 * @returns undefined where there is none in a list or an object, or something else is wrong too
 */
export function nonFiniteNumber(text: string): NonFiniteNumber | undefined {
  const path = new OpenPath();
  let first: NonFiniteNumber | undefined;
  let [finite, end] = ["", 0];
  PART.lastIndex = 0;
  for (let part = PART.exec(text); part !== null; part = PART.exec(text)) {
    const [found] = part;
    if (found === '"') {
      PART.lastIndex = stringEnd(text, part.index);
      path.text = text.slice(part.index, PART.lastIndex);
    } else if (found.length === 1) {
      path.follow(found);
    } else {
      first ??= { path: path.written, value: found };
      // Unlike a digit, it makes no other value together with what stands beside it.
      finite += `${text.slice(end, part.index)}null`;
      end = PART.lastIndex;
    }
  }
  if (first === undefined || first.path === "") return undefined;
  try {
    JSON.parse(finite + text.slice(end));
    return first;
  } catch {
    return undefined;
  }
}

/** Behind a string's closing quotation mark, or at the end of a text that has none. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

/** The lists and objects that a place of a text is in. */
class OpenPath {
  /** The last string, as it is written: a key once a colon follows. */
  text = '""';
  /** The index or the key in each, the outermost first. */
  readonly #places: (number | string)[] = [];

  follow(mark: string): void {
    const last = this.#places.length - 1;
    const place = this.#places[last];
    if (mark === "[") this.#places.push(0);
    else if (mark === "{") this.#places.push("");
    else if (mark === "]" || mark === "}") this.#places.pop();
    else if (mark === "," && typeof place === "number") this.#places[last] = place + 1;
    else if (mark === ":" && place !== undefined) this.#places[last] = this.text.slice(1, -1);
  }

  get written(): string {
    return this.#places
      .map((place, depth) =>
        typeof place === "number" ? `[${place}]` : `${depth === 0 ? "" : "."}${place}`,
      )
      .join("");
  }
}
