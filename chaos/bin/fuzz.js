#!/usr/bin/env node
import { buildAndRun } from "../../tools/build-and-run.mjs";

await buildAndRun({ name: "fuzz", folder: "chaos", main: "fuzz-main.js" });
