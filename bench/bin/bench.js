#!/usr/bin/env node
import { buildAndRun } from "./build-and-run.js";

await buildAndRun("bench", "main.js");
