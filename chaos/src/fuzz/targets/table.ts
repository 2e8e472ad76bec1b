import type { FuzzTarget } from "../fuzz-target.js";

/** Makes targets, by name; `folder` is for the files of a parser that reads files. */
export type TargetTable = Readonly<
  Record<string, (folder: string) => FuzzTarget | Promise<FuzzTarget>>
>;
