import { LineProblem, parseObject, requireKeys, shown, weightOf } from "../samples/index.js";
import type { WrittenForm, WrittenSequence } from "../vocabulary/index.js";
import type { Side } from "./pair-dataset.js";

/** One line of a file, checked in itself. */
export interface PairLine extends Readonly<Record<Side, WrittenSequence>> {
  readonly weight: number;
}

const EXAMPLE = '{"source": "…", "target": "…"}';
const IN_WORDS = { characters: "a string", tokens: "a list of tokens" } as const;

/** @throws LineProblem */
export function parsePairLine(text: string): PairLine {
  const raw = parseObject(text, EXAMPLE);
  requireKeys(raw, ["source", "target", "weight"]);
  const source = parseSource(raw);
  return { source, target: parseSequence("target", raw["target"]), weight: weightOf(raw) };
}

/** The source of a line, whatever else the line has. @throws LineProblem */
export function parseSourceLine(text: string): WrittenSequence {
  return parseSource(parseObject(text, '{"source": "…"}'));
}

export function formOf(sequence: WrittenSequence): WrittenForm {
  return typeof sequence === "string" ? "characters" : "tokens";
}

/** @param because what decides the form, as the end of a sentence; @throws LineProblem */
export function requireForm(
  side: Side,
  sequence: WrittenSequence,
  form: WrittenForm,
  because: string,
): void {
  const given = formOf(sequence);
  if (given === form) return;
  throw new LineProblem(`${side} is ${IN_WORDS[given]}; it must be ${IN_WORDS[form]}, ${because}`);
}

function parseSource(raw: Readonly<Record<string, unknown>>): WrittenSequence {
  const source = parseSequence("source", raw["source"]);
  if (source.length > 0) return source;
  throw new LineProblem(`source is ${shown(source)}; it must have at least one token`);
}

function parseSequence(side: Side, raw: unknown): WrittenSequence {
  if (typeof raw === "string") return raw;
  if (!Array.isArray(raw)) {
    throw new LineProblem(
      `${side} is ${shown(raw)}; it must be a string of characters or a list of tokens`,
    );
  }
  return raw.map((token: unknown, n) => {
    if (typeof token === "string" && token !== "") return token;
    throw new LineProblem(`${side}[${n}] is ${shown(token)}; a token is a string, not empty`);
  });
}
