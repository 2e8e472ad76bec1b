import { openSealedJson } from "../sealed-json/index.js";

const NEWLINE = 0x0a;

/**
 * The hash of the last of some lines that follow one another and the line with hash `head`; undefined if they
 * do not, or are not whole.
 */
export function headAfter(head: string, lines: Uint8Array): string | undefined {
  let before = head;
  for (let start = 0; start < lines.length;) {
    const end = lines.indexOf(NEWLINE, start);
    if (end === -1) return undefined;
    const opened = openSealedJson(lines.subarray(start, end));
    if (opened.flaw !== undefined || opened.value.prev !== before) return undefined;
    before = opened.hash;
    start = end + 1;
  }
  return before;
}
