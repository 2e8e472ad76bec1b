/** Starts shutdown-child.mjs with an IPC channel and dies without a word; see shutdown.test.ts. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const child = fork(fileURLToPath(new URL("./shutdown-child.mjs", import.meta.url)), {
  stdio: ["ignore", "inherit", "inherit", "ipc"],
});
child.on("spawn", () => process.stdout.write(`child ${child.pid}\n`));
