/** A way to a server through a process of its own, which a test can stop as a debugger stops one. */

import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";

const PROGRAM = `
  const { connect, createServer } = require("node:net");
  const proxy = createServer((socket) => {
    const onward = connect(Number(process.argv[1]), "127.0.0.1");
    for (const each of [socket, onward]) each.on("error", () => undefined);
    socket.pipe(onward).pipe(socket);
  });
  proxy.listen(0, "127.0.0.1", () => process.stdout.write(String(proxy.address().port)));
`;

export class StoppableProxy {
  readonly address: string;
  readonly #child: ChildProcess;

  private constructor(address: string, child: ChildProcess) {
    this.address = address;
    this.#child = child;
  }

  /** @param address HOST:PORT of a server on this machine */
  static async to(address: string): Promise<StoppableProxy> {
    const port = address.split(":").at(-1) ?? "";
    const child = spawn(process.execPath, ["--eval", PROGRAM, port], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [bytes] = (await once(child.stdout, "data")) as [Buffer];
    return new StoppableProxy(`127.0.0.1:${bytes.toString()}`, child);
  }

  /** Connections stay open, and new ones are taken by the kernel; nobody answers. */
  stop(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }
}
