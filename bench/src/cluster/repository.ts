import { fileURLToPath } from "node:url";

const fromHere = (path: string): string =>
  fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** The `ostinato` command of this checkout. */
export const LAUNCHER = fromHere("apps/cli/bin/ostinato.js");
/** What `npm start` trains. */
export const DEFAULT_EXAMPLE = fromHere("examples/moby-dick.yaml");
