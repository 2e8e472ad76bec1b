/** Where the agents of the processes report, and take orders of the moment. */

import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { createInterface } from "node:readline";
import type { AgentCommand } from "../agent/index.js";

export class AgentDesk {
  readonly path: string;
  readonly #server: Server;
  readonly #sockets = new Map<number, Socket>();
  readonly #answered = new Map<string, () => void>();

  private constructor(path: string, server: Server) {
    this.path = path;
    this.#server = server;
  }

  static async open(path: string): Promise<AgentDesk> {
    const server = createServer();
    const desk = new AgentDesk(path, server);
    server.on("connection", (socket) => desk.#welcome(socket));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return desk;
  }

  /**
   * Resolves when the agent has heard it, and before it does it.
   *
   * @throws Error if that process has no agent here
   */
  async tell(pid: number, command: AgentCommand): Promise<void> {
    const socket = this.#sockets.get(pid);
    if (socket === undefined) throw new Error(`process ${pid} has no agent`);
    const heard = new Promise<void>((resolve, reject) => {
      this.#answered.set(`${pid} ${command.kind}`, resolve);
      socket.once("close", () => reject(new Error(`process ${pid} ended before it heard`)));
    });
    socket.write(`${JSON.stringify(command)}\n`);
    await heard;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.values()) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #welcome(socket: Socket): void {
    let pid: number | undefined;
    socket.on("error", () => undefined);
    socket.once("close", () => {
      if (pid !== undefined) this.#sockets.delete(pid);
    });
    createInterface({ input: socket }).on("line", (line) => {
      const said = JSON.parse(line) as { readonly pid: number; readonly heard?: string };
      pid = said.pid;
      this.#sockets.set(pid, socket);
      if (said.heard !== undefined) this.#answered.get(`${pid} ${said.heard}`)?.();
    });
  }
}
