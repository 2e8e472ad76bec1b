import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { AgentCommand } from "./orders.js";

/** Says at the desk that this process is there, and does what it is told. Keeps no process alive. */
export function obeyCommands(desk: string): void {
  const socket = connect(desk);
  const { pid } = process;
  // Without the harness there is nobody to trouble this process, and nothing to say.
  socket.on("error", () => undefined);
  socket.unref();
  socket.write(`${JSON.stringify({ pid })}\n`);
  createInterface({ input: socket }).on("line", (line) => {
    const command = JSON.parse(line) as AgentCommand;
    socket.write(`${JSON.stringify({ pid, heard: command.kind })}\n`, () => {
      // Not in the socket's own callback, which would catch an exception or be part of its stack.
      setImmediate(() => obey(command));
    });
  });
}

function obey(command: AgentCommand): void {
  switch (command.kind) {
    case "block":
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, command.milliseconds);
      return;
    case "throw":
      throw new Error("thrown by chaos, and caught by nobody");
    case "exhaustMemory": {
      // In large pieces: with small ones it takes seconds, most of them in vain collections of garbage.
      const kept: number[][] = [];
      for (;;) kept.push(new Array<number>(4_000_000).fill(kept.length));
    }
    case "jumpClock":
      jumpClock(command.milliseconds);
      return;
    default:
      command satisfies never;
  }
}

/** What `new Date()` and `Date.now()` say from now on; a date that is given stays as it is. */
function jumpClock(milliseconds: number): void {
  const RealDate = Date;
  const now = (): number => RealDate.now() + milliseconds;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
    get: (target, property, receiver) =>
      property === "now" ? now : (Reflect.get(target, property, receiver) as unknown),
  });
}
