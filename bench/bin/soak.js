#!/usr/bin/env node
import { buildAndRun } from "../../tools/build-and-run.mjs";

await buildAndRun({ name: "soak", folder: "bench", main: "soak-main.js" });
