import { open } from "node:fs/promises";

import { DataError } from "../data-error.js";
import { unreadable } from "../text/index.js";
import { nonFiniteNumber } from "./non-finite-number.js";

/** What is wrong with a line, as what follows its place in a message. */
export class LineProblem extends Error {
  override readonly name = "LineProblem";
}

const BYTE_ORDER_MARK = "\uFEFF";

/**
 * Hands each line of a file to `take`, whose LineProblem is told with file and line.
 *
 * @throws DataError 'invalidSample' | 'unreadable'
 */
export async function eachLine(file: string, take: (line: string) => void): Promise<void> {
  const taken = parsedLines(file, take);
  while ((await taken.next()).done !== true);
}

/**
 * What `parse` makes of each line of a file, one after the other, whatever the file's size. Its LineProblem
 * is told with file and line. A byte-order mark at the start is dropped.
 *
 * @throws DataError 'invalidSample' | 'unreadable'
 */
export async function* parsedLines<Parsed>(
  file: string,
  parse: (line: string) => Parsed,
): AsyncGenerator<Parsed, void> {
  let handle;
  try {
    handle = await open(file);
  } catch (error) {
    throw unreadable(file, error);
  }
  let number = 0;
  try {
    for await (const line of handle.readLines({ encoding: "utf8" })) {
      number += 1;
      yield parse(number === 1 && line.startsWith(BYTE_ORDER_MARK) ? line.slice(1) : line);
    }
  } catch (error) {
    if (!(error instanceof LineProblem)) throw unreadable(file, error);
    throw new DataError("invalidSample", `${file}:${number}: ${error.message}`, {
      file,
      line: number,
    });
  } finally {
    await handle.close();
  }
}

/**
 * @param example an object as it may stand in a line, for messages
 * @throws LineProblem
 */
export function parseObject(text: string, example: string): Readonly<Record<string, unknown>> {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    const number = nonFiniteNumber(text);
    if (number !== undefined) {
      const { path, value } = number;
      throw new LineProblem(`${shortened(path)} is ${value}; it must be a finite number`);
    }
    throw new LineProblem(`it is not JSON; write ${example}`);
  }
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw new LineProblem(`it is ${shown(raw)}; it must be an object ${example}`);
  }
  return raw as Readonly<Record<string, unknown>>;
}

/**
 * @param keys two of what a sample needs, then `weight`
 * @throws LineProblem
 */
export function requireKeys(
  raw: Readonly<Record<string, unknown>>,
  keys: readonly [string, string, "weight"],
): void {
  const unknown = Object.keys(raw).find((name) => !keys.includes(name));
  if (unknown === undefined) return;
  const [first, second, last] = keys;
  throw new LineProblem(
    `${JSON.stringify(unknown)} is no key of a sample; its keys are ${first}, ${second} and ${last}`,
  );
}

/** A sample's weight, 1 where it is left out. @throws LineProblem */
export function weightOf(raw: Readonly<Record<string, unknown>>): number {
  const weight = Object.hasOwn(raw, "weight") ? raw["weight"] : 1;
  if (isFinite32(weight) && Math.fround(weight) > 0) return weight;
  throw new LineProblem(`weight is ${shown(weight)}; it must be a number above 0 up to 3.4e38`);
}

export function isFinite32(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(Math.fround(value));
}

const MAX_SHOWN = 40;

/** A value of a line as a message shows it. */
export function shown(value: unknown): string {
  if (value === undefined) return "missing";
  // What is too large for a number is read as Infinity, which JSON would write as null.
  if (typeof value === "number") return String(value);
  let json: string;
  try {
    json = JSON.stringify(value);
  } catch {
    // JSON.parse takes any depth; to write it again takes a stack.
    return "a value too deep to be shown";
  }
  return shortened(json);
}

function shortened(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
