import { DataError } from "@ostinato/data";
import { WireError } from "@ostinato/proto";
import { RunError } from "@ostinato/run";
import { RuntimeError } from "@ostinato/runtime";
import { describe, expect, it } from "vitest";

import { CliError } from "./cli-error.js";
import { exitCodeOf, lineOf } from "./exit-code.js";

describe("the exit code of an error", () => {
  it.each([
    ["a wrong command line", new CliError("usage", ""), 2],
    ["an unknown config key", new RunError("unknownKey", ""), 2],
    ["a run directory in use", new RunError("runDirectoryInUse", ""), 2],
    ["a missing text file", new DataError("fileNotFound", ""), 2],
    ["text that is not UTF-8", new DataError("invalidUtf8", ""), 2],
    ["an address that is none", new WireError("invalidAddress", ""), 2],
    ["a listener beyond loopback", new WireError("notLoopback", ""), 2],
    ["a token file that others can read", new WireError("credentialFile", ""), 2],
    ["a token that is not known there", new WireError("unauthenticated", ""), 1],
    ["a damaged checkpoint", new RunError("checkpointDamaged", ""), 1],
    ["a damaged data set", new DataError("corruptDataset", ""), 1],
    ["a port in use", new RuntimeError("portInUse", ""), 1],
    ["a coordinator that is not there", new WireError("unavailable", ""), 1],
    ["a backend that is not here", new CliError("unknownBackend", ""), 1],
    ["a text that has changed", new RunError("dataChanged", ""), 2],
    ["anything else", new TypeError("x is not a function"), 1],
    ["what is no error", "thrown text", 1],
  ])("for %s", async (_, error, exitCode) => {
    expect(await exitCodeOf(error)).toBe(exitCode);
  });
});

describe("the line of an error", () => {
  it("is one line, whatever the message holds, and has no stack", () => {
    expect(lineOf(new Error("first\n  second\n"), false)).toBe("ostinato: first second\n");
  });

  it("has the stack for one who asked for it", () => {
    expect(lineOf(new Error("told"), true)).toMatch(/^ostinato: Error: told\n {4}at /);
  });
});
