#!/usr/bin/env node
import { buildAndRun } from "../../tools/build-and-run.mjs";

await buildAndRun({ name: "chaos", folder: "chaos", main: "main.js" });
