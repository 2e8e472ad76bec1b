/** A command in this process, and what it writes. */

import { Writable } from "node:stream";

import { runCommandLine } from "../../src/command-line/index.js";
import { createCommands } from "../../src/commands/index.js";

export interface Finished {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** @param folder that it is given in */
export async function runCommand(folder: string, ...args: string[]): Promise<Finished> {
  let [out, err] = ["", ""];
  const stream = (take: (text: string) => void): NodeJS.WriteStream =>
    new Writable({
      decodeStrings: false,
      write: (text: string, _, done) => {
        take(text);
        done();
      },
    }) as unknown as NodeJS.WriteStream;
  const exitCode = await runCommandLine(args, {
    commands: createCommands({
      stdout: stream((text) => (out += text)),
      stderr: stream((text) => (err += text)),
      folder,
      mainFile: "",
      worker: undefined,
    }),
    version: "0",
    writeOut: (text) => (out += text),
    writeErr: (text) => (err += text),
    debug: false,
  });
  return { exitCode, out, err };
}
