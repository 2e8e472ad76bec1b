/** What a fuzzer feeds: one parser, and what must hold of whatever it answers. */

/** A parser of bytes from outside. */
export interface FuzzTarget {
  readonly name: string;
  /** Inputs that it takes; every other one is made out of these. */
  readonly seeds: readonly Uint8Array[];
  /** What such inputs consist of, such as keys and magic numbers: to be put where chance would not. */
  readonly words: readonly string[];
  /** An input's work, by that of one which is bytes in memory: the target gets so many times fewer of them. */
  readonly cost: number;
  /**
   * Gives the parser one input.
   *
   * @returns whether it took it; false: it refused it as it should
   * @throws the fault, whatever it is: an error without a code, a value that does not come back as it went
   */
  readonly feed: (input: Uint8Array) => boolean | Promise<boolean>;
}

/** An answer of a parser that breaks a rule though nothing was thrown, or the wrong thing. */
export class BrokenRule extends Error {
  override readonly name = "BrokenRule";
}

export type ErrorClass = abstract new (...args: never[]) => Error & { readonly code: string };

export interface ParserTargetOptions<Value> {
  readonly name: string;
  readonly seeds: readonly (Uint8Array | string)[];
  readonly words?: readonly string[];
  /** 1 unless given. */
  readonly cost?: number;
  /** What a refusal is: an error of one of these classes, in one line. */
  readonly refusals: readonly ErrorClass[];
  readonly parse: (input: Uint8Array) => Value | Promise<Value>;
  /** Throws if what was taken is not what it should be: it must come back from its own encoding. */
  readonly check: (value: Value, input: Uint8Array) => void | Promise<void>;
}

/** The target whose parser returns a value, or throws one of its refusals. */
export function parserTarget<Value>(options: ParserTargetOptions<Value>): FuzzTarget {
  const { name, seeds, words = [], cost = 1, refusals, parse, check } = options;
  return {
    name,
    words,
    cost,
    seeds: seeds.map((seed) => (typeof seed === "string" ? bytesOf(seed) : seed)),
    feed: async (input) => {
      let value: Value;
      try {
        value = await parse(input);
      } catch (error) {
        requireRefusal(error, refusals);
        return false;
      }
      await check(value, input);
      return true;
    },
  };
}

/** Characters of the longest line that may say what is wrong: a path, a value's beginning, what is allowed. */
const MAX_MESSAGE = 8192;

/** @throws the error itself where it is none of the classes; BrokenRule where its message is no line */
export function requireRefusal(error: unknown, refusals: readonly ErrorClass[]): void {
  if (!refusals.some((refusal) => error instanceof refusal)) throw error;
  const { name, code, message } = error as Error & { readonly code: string };
  const wrong =
    code === ""
      ? "has no code"
      : message === ""
        ? "says nothing"
        : message.length > MAX_MESSAGE
          ? `has ${message.length} characters`
          : /[\p{Cc}\p{Zl}\p{Zp}]/u.test(message)
            ? "is not one line"
            : undefined;
  if (wrong === undefined) return;
  const shown = JSON.stringify(message.slice(0, 200));
  throw new BrokenRule(`the message of ${name} ${code} ${wrong}: ${shown}`, { cause: error });
}

/** @throws BrokenRule */
export function requireThat(condition: boolean, rule: () => string): void {
  if (!condition) throw new BrokenRule(rule());
}

/** Bytes of their own, and not of a Buffer, which protobufjs and `isDeepStrictEqual` tell apart. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Well-formed text of any bytes: what is not UTF-8 becomes U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
