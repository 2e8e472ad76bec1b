#!/usr/bin/env node
import { buildAndRun } from "../../tools/build-and-run.mjs";

await buildAndRun({ name: "bench", folder: "bench", main: "main.js" });
