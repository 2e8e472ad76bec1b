/** Where a coordinator is reached, as people and peers write it. */

import {
  findSegmentFolder,
  formatAddress,
  formatEndpoint,
  parseAddress,
  parseEndpoint,
  WireError,
} from "@ostinato/proto";
import { isAbsolute } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parserTarget, requireThat, textOf } from "../fuzz-target.js";
import type { FuzzTarget } from "../fuzz-target.js";
import type { TargetTable } from "./table.js";

const WORDS = [
  "unix:",
  "unix:///",
  "@",
  "\0",
  "[",
  "]",
  ":",
  "::",
  "%eth0",
  "65535",
  "65536",
  "localhost",
  "..",
  "//",
];
const refusals = [WireError];

function address(): FuzzTarget {
  return parserTarget({
    ...{ name: "address", words: WORDS, refusals },
    seeds: ["127.0.0.1:50051", "[::1]:0", "train-0.ns.svc:50051", "[fe80::1%eth0]:65535"],
    parse: (input) => parseAddress(textOf(input)),
    check: (parsed) => {
      const { port, host } = parsed;
      requireThat(
        Number.isInteger(port) && port >= 0 && port <= 65_535 && host !== "",
        () => "no port",
      );
      requireThat(
        isDeepStrictEqual(parseAddress(formatAddress(parsed)), parsed),
        () => "another address",
      );
    },
  });
}

function endpoint(): FuzzTarget {
  return parserTarget({
    ...{ name: "endpoint", words: WORDS, refusals },
    seeds: ["127.0.0.1:50051", "unix:/run/a.sock", "unix:///run/a.sock", "unix:../a.sock"],
    parse: (input) => parseEndpoint(textOf(input)),
    check: (parsed) => {
      requireThat(
        parsed.kind === "tcp" || isAbsolute(parsed.path),
        () => "a path that is not absolute",
      );
      requireThat(
        isDeepStrictEqual(parseEndpoint(formatEndpoint(parsed)), parsed),
        () => "another endpoint",
      );
    },
  });
}

/** The folder of segments that a coordinator names: never one that is not the named kind of folder. */
function segmentFolder(folder: string): FuzzTarget {
  const name = `ostinato-17-${"0".repeat(32)}`;
  const owner = { pid: process.pid, getuid: () => process.getuid?.() ?? 0 };
  return {
    ...{ name: "segmentFolder", words: ["..", "/", "\0", "ostinato-", "."], cost: 1 },
    seeds: [new TextEncoder().encode(name)],
    feed: (input) => {
      const found = findSegmentFolder(textOf(input), owner, folder);
      requireThat(found === undefined, () => `a folder that nobody made: ${String(found?.path)}`);
      return true;
    },
  };
}

export const ADDRESS_TARGETS = { address, endpoint, segmentFolder } as const satisfies TargetTable;
