#!/usr/bin/env node
import { buildAndRun } from "./build-and-run.js";

await buildAndRun("soak", "soak-main.js");
