/**
 * The serving end of a transport, in a process of its own; ends with its parent.
 *
 *     node dist/transport/server-main.js KIND TARGET VALUES [FOLDER]
 */
import { serveBare } from "./bare-service.js";
import { serveProtocol } from "./protocol-service.js";
import { serveRaw } from "./raw-service.js";
import { VALUE_BYTES } from "./sizes.js";

const [kind = "", target = "", values = "0", folder = ""] = process.argv.slice(2);
const numValues = Number(values);

async function listen(): Promise<string> {
  switch (kind) {
    case "protocol":
      return serveProtocol(target, numValues, folder);
    case "bare":
      return serveBare(target, numValues * VALUE_BYTES);
    case "raw":
      return serveRaw(numValues * VALUE_BYTES);
    default:
      throw new RangeError(`no such transport: ${kind}`);
  }
}

process.on("disconnect", () => {
  process.exit();
});
process.send?.(await listen());
