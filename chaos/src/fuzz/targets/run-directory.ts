/** The small files of a run directory: end.json, vocabulary.json, an incarnation's file, metrics.jsonl. */

import {
  decodePairVocabularies,
  decodeRunEnd,
  decodeVocabulary,
  encodeRunEnd,
  encodeVocabulary,
  openMetricsFile,
  readIncarnation,
  RunError,
} from "@ostinato/run";
import type { RunEnd } from "@ostinato/run";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parserTarget, plainBytes, requireThat, textOf } from "../fuzz-target.js";
import type { FuzzTarget } from "../fuzz-target.js";
import type { TargetTable } from "./table.js";

const refusals = [RunError];

function endRecord(): FuzzTarget {
  const end: RunEnd = {
    ...{ outcome: "completed", step: 9, parametersSha256: "a".repeat(64) },
    ledger: { head: "b".repeat(64), offset: 77 },
  };
  return parserTarget({
    ...{ name: "endRecord", words: ["outcome", "stopped", "ledger", "\\n"], refusals },
    seeds: [plainBytes(encodeRunEnd(end))],
    parse: (input) => decodeRunEnd(input, "end.json"),
    check: (read) => {
      const bytes = encodeRunEnd(read);
      const again = encodeRunEnd(decodeRunEnd(plainBytes(bytes), "end.json"));
      requireThat(Buffer.compare(again, bytes) === 0, () => "an end record changes");
    },
  });
}

const TEXT_WORDS = [
  "symbols",
  "format",
  '""',
  '"a"',
  "\\ud800",
  "\\udc00",
  "\u{1f600}",
  "\u{10ffff}",
  "\\u0000",
  "\ufeff",
];

function vocabulary(): FuzzTarget {
  return parserTarget({
    ...{ name: "vocabulary", words: TEXT_WORDS, refusals },
    seeds: [plainBytes(encodeVocabulary(["", "\n", "a", "b", "é", "\u{1f600}"]))],
    parse: (input) => decodeVocabulary(input, "vocabulary.json"),
    check: (read) => {
      const { symbols, size } = read;
      requireThat(size === symbols.length, () => "a size that is not the number of symbols");
      requireThat(
        symbols.every((symbol, id) => read.idOf(symbol) === id),
        () => "a symbol that does not have its id",
      );
      const again = decodeVocabulary(plainBytes(encodeVocabulary(symbols)), "again");
      requireThat(isDeepStrictEqual(again.symbols, symbols), () => "symbols change");
    },
  });
}

function pairVocabularies(): FuzzTarget {
  const side = (form: "characters" | "tokens", tokens: readonly string[]): object => ({
    form,
    tokens,
  });
  const seed = {
    format: 1,
    source: side("characters", ["a", "b"]),
    target: side("tokens", ["an", "b"]),
  };
  return parserTarget({
    ...{ name: "pairVocabularies", words: [...TEXT_WORDS, "source", "target", "tokens"], refusals },
    seeds: [JSON.stringify(seed)],
    parse: (input) => decodePairVocabularies(input, "vocabulary.json"),
    check: (sides) => {
      const again = decodePairVocabularies(plainBytes(encodeVocabulary(sides)), "again");
      for (const name of ["source", "target"] as const) {
        const { tokens, form, size, firstId } = sides[name];
        requireThat(size === firstId + tokens.length, () => "a size that is not the number of ids");
        requireThat(
          tokens.every((token, n) => sides[name].idOf(token) === firstId + n),
          () => "two tokens of one id",
        );
        requireThat(
          isDeepStrictEqual([again[name].tokens, again[name].form], [tokens, form]),
          () => "tokens change",
        );
      }
    },
  });
}

/** The file of an incarnation with any content: a holder, or nobody that wrote itself down. */
function incarnation(folder: string): FuzzTarget {
  const path = join(folder, "000001.json");
  const holder = {
    ...{ format: 1, incarnation: 1, id: "a1", since: "2026-11-24T03:15:09.000Z" },
    process: { pid: 7, host: "here", bootId: "b", pidNamespace: "n", startTicks: 123 },
    deadlineMs: 30_000,
  };
  const line = `${JSON.stringify(holder)}\n`;
  return parserTarget({
    ...{
      name: "incarnation",
      words: ["format", "incarnation", "process", "pid", "deadlineMs", "releasedAt", "\\n"],
      refusals,
    },
    seeds: [line, `${line}${JSON.stringify({ releasedAt: holder.since })}\n`],
    parse: (input) => {
      writeFileSync(path, input);
      return readIncarnation(path);
    },
    check: (read) => {
      requireThat(read !== undefined, () => "a file that is there is not");
      const held = read?.holder;
      if (held === undefined) return;
      requireThat(held.deadlineMs > 0 && held.incarnation > 0, () => "a holder that cannot be");
    },
  });
}

/** A metrics file of any content: after a resume it has the committed lines and no other. */
function metrics(folder: string): FuzzTarget {
  const path = join(folder, "metrics.jsonl");
  const committed = [
    { type: "step", step: 1, loss: 2.5 },
    { type: "evaluation", step: 1, split: "validation", loss: 2 },
    { type: "step", step: 2, loss: 2.25 },
  ] as const;
  const keyOf = (line: string): string => {
    const { type, step, split } = JSON.parse(line) as Record<string, unknown>;
    return [type, step, split ?? ""].join(" ");
  };
  const keys = new Set(committed.map((line) => keyOf(JSON.stringify(line))));
  const lines = committed.map((line) => `${JSON.stringify(line)}\n`);
  return parserTarget({
    ...{
      name: "metrics",
      words: ["type", "step", "split", "validation", "\n", ...lines],
      refusals,
    },
    seeds: ["", lines.join(""), lines.slice(0, 2).join("") + '{"type":'],
    parse: (input) => {
      writeFileSync(path, input);
      openMetricsFile(path, { committed }).close();
      return textOf(readFileSync(path));
    },
    check: (text) => {
      requireThat(text.endsWith("\n"), () => "half a line is left");
      const found = new Set(text.trimEnd().split("\n").map(keyOf));
      requireThat(isDeepStrictEqual(found, keys), () => "other lines than were committed");
    },
  });
}

export const RUN_DIRECTORY_TARGETS = {
  endRecord,
  vocabulary,
  pairVocabularies,
  incarnation,
  metrics,
} as const satisfies TargetTable;
