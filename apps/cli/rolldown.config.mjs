// One program of few files: a process that loads 860 modules one by one takes half a second for it.
import { defineConfig } from "rolldown";

export default defineConfig({
  // From dist, so that what was type-checked is what runs.
  input: {
    main: "dist/main.js",
    // Threads, by the names that they have beside the code that starts them.
    "checkpoints/checkpoint-thread": "../coordinator/dist/checkpoints/checkpoint-thread.js",
    "steps/arithmetic-thread": "../coordinator/dist/steps/arithmetic-thread.js",
    "training/compute-thread-main": "../worker/dist/training/compute-thread-main.js",
  },
  platform: "node",
  // Those that look for files beside their own.
  external: [/^@tensorflow\//, "grpc-health-check"],
  output: {
    dir: "bundle",
    cleanDir: true,
    sourcemap: true,
    // A tenth less to parse at each start.
    comments: { legal: true, annotation: false, jsdoc: false },
    // Flat, so that `new URL("./steps/arithmetic-thread.js", import.meta.url)` is right in each of them.
    chunkFileNames: "[name]-[hash].js",
  },
});
