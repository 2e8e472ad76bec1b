/** Whether a port can be opened where a local cluster opens some. */

import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { ListenOptions } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Undefined, or why it did not work. */
export type Trouble = string | undefined;

export function checkLoopback(): Promise<Trouble> {
  return listen({ host: "127.0.0.1", port: 0 });
}

export async function checkUnixSocket(): Promise<Trouble> {
  let folder: string;
  try {
    folder = await mkdtemp(join(tmpdir(), "ostinato-"));
  } catch (error) {
    return reasonOf(error);
  }
  try {
    return await listen({ path: join(folder, "s") });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function listen(where: ListenOptions): Promise<Trouble> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => {
      resolve(reasonOf(error));
    });
    server.listen(where, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}

/** One line. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().replace(/\s*\n\s*/g, " ");
}
