/** ledger.jsonl and metrics.jsonl. */

import { decodeLedger, RunError } from "@ostinato/run";
import type { LedgerContents, LedgerEntry } from "@ostinato/run";
import { isDeepStrictEqual } from "node:util";
import { bytesOf, parserTarget, requireThat, textOf } from "../fuzz-target.js";
import type { FuzzTarget } from "../fuzz-target.js";
import { LEDGER_RECORDS } from "./ledger-samples.js";
import { jsonOf, objectIn, sealed } from "./sealed.js";
import type { TargetTable } from "./table.js";

const START = "0".repeat(64);
const WORDS = [
  "seq",
  "incarnation",
  "prev",
  "hash",
  "type",
  "step",
  "leaves",
  "__proto__",
  "null",
  "\n",
  '"',
  "\\u2028",
  "\\n",
];

/** A ledger of these objects, each chained to the one before it. */
function chained(objects: readonly object[]): string {
  let prev = START;
  return objects
    .map((object, index) => {
      const json = jsonOf({ seq: index + 1, incarnation: 1, ...object, prev });
      const { line, hash } = sealed(json ?? "{}");
      prev = hash;
      return `${line}\n`;
    })
    .join("");
}

const refusals = [RunError];
const decode = (input: Uint8Array): LedgerContents => decodeLedger(input, "ledger.jsonl");

/** What was read is what another ledger of the same records has. */
function requireStable(contents: LedgerContents): void {
  const records = contents.records.map(withoutPlace);
  const again = decodeLedger(bytesOf(chained(records)), "again");
  // In JSON -0 is written as 0.
  requireThat(
    JSON.stringify(again.records.map(withoutPlace)) === JSON.stringify(records) &&
      isDeepStrictEqual(again.tornTail, undefined),
    () => "a ledger's records change when they are written again",
  );
}

function withoutPlace(entry: LedgerEntry): object {
  const { hash: _hash, prev: _prev, offset: _offset, ...record } = entry;
  return record;
}

/** Bytes as they stand: hashes protect nearly all of them. */
function ledger(): FuzzTarget {
  return parserTarget({
    ...{ name: "ledger", words: WORDS, refusals, parse: decode },
    seeds: [chained(LEDGER_RECORDS), chained(LEDGER_RECORDS.slice(0, 2))],
    check: (contents, input) => {
      const { bytes, tornTail } = contents;
      requireThat(
        bytes + (tornTail?.bytes ?? 0) === input.length,
        () => "bytes that nobody counts",
      );
      requireStable(contents);
    },
  });
}

/** Records of any content behind hashes that hold: what a faulty writer could leave. */
function ledgerRecords(): FuzzTarget {
  return parserTarget({
    ...{ name: "ledgerRecords", words: WORDS, refusals },
    seeds: LEDGER_RECORDS.map((record) => JSON.stringify(record)).concat(
      LEDGER_RECORDS.slice(0, 2)
        .map((record) => JSON.stringify(record))
        .join("\n"),
    ),
    parse: (input) => {
      const objects = textOf(input).split("\n").slice(0, 8).map(objectIn);
      return decode(bytesOf(chained(objects.filter((object) => object !== undefined))));
    },
    check: requireStable,
  });
}

export const LEDGER_TARGETS = { ledger, ledgerRecords } as const satisfies TargetTable;
