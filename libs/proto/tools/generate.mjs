/**
 * Generates the static protobuf code in `generated/` from `proto/`: the package's `generate` target.
 *
 * Only encode and decode are generated. What protobufjs' verify and convert would do belongs to the
 * codec, which knows more than the types: sizes, ranges, what may not be missing.
 */
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import pbjs from "protobufjs-cli/pbjs.js";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

await mkdir(path("../generated"), { recursive: true });
await promisify(pbjs.main)([
  ...["--target", "static-module", "--wrap", "esm", "--dts", "--force-number"],
  ...["--no-create", "--no-verify", "--no-convert", "--no-delimited", "--no-typeurl"],
  ...["--no-service", "--root", "ostinato", "--path", path("../proto")],
  ...["--out", path("../generated/coordinator.js")],
  "ostinato/v1/coordinator.proto",
]);
