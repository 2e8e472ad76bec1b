/** Which versions of Node this program runs on; package.json's `engines` says the same. */

/** The first supported minor version of each supported major one. */
const FIRST_MINORS: Readonly<Record<number, number>> = { 20: 19, 22: 13 };

export interface NodeCheck {
  /** Without a leading `v`. */
  readonly version: string;
  readonly floor: string;
  readonly isSupported: boolean;
}

/** @param version as in `process.versions.node` */
export function checkNode(version: string): NodeCheck {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const firstMinor = FIRST_MINORS[major];
  const floor = Object.entries(FIRST_MINORS)
    .map(([line, first]) => `${line}.${first} or a newer ${line}`)
    .join(", ");
  return { version, floor, isSupported: firstMinor !== undefined && minor >= firstMinor };
}
