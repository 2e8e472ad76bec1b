import type { CampaignResult } from "../campaign.js";
import type { FuzzFault } from "../faults.js";
import { inputText } from "./input-text.js";

const COLUMNS = ["inputs", "taken", "kept", "code", "seconds", "slowest ms", "grown KiB"] as const;
const NAME_WIDTH = 20;
const WIDTH = 11;

export function tableHead(): string {
  return "parser".padEnd(NAME_WIDTH) + COLUMNS.map((name) => name.padStart(WIDTH)).join("");
}

/** One parser's campaign in one line; `code` is the characters of source that ran. */
export function tableRow(result: CampaignResult): string {
  const { target, numInputs, numAccepted, numKept, numCharacters } = result;
  const { seconds, slowestMs, grownBytes } = result;
  const cells = [
    ...[numInputs, numAccepted, numKept, numCharacters].map(String),
    ...[seconds.toFixed(1), slowestMs.toFixed(0), (grownBytes / 1024).toFixed(0)],
  ];
  return target.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padStart(WIDTH)).join("");
}

/** The command that feeds a fault's input again. */
export function reproducer(target: string, { input }: FuzzFault): string {
  return `npm run fuzz -- --target ${target} --input ${inputText(input)}`;
}
