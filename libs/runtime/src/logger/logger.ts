import { appendFileSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

import pino from "pino";

import { RuntimeError } from "../errors/index.js";
import { toConsoleLine } from "./console-lines.js";

export type Logger = pino.Logger;

/** What goes to standard error: nothing, lines for people, or pino's JSON lines. */
export type ConsoleStyle = "none" | "pretty" | "json";

export interface LoggerOptions {
  /** Stands in every line, such as `coordinator` or `worker-1`. */
  readonly process: string;
  /** Appended to; its folder is created. No file unless given. */
  readonly file?: string;
  /** `none` unless given. Standard output is left to the program's results. */
  readonly console?: ConsoleStyle;
  /** `info` unless given. */
  readonly level?: pino.LevelWithSilent;
}

/**
 * A logger that writes JSON lines to a file and, if asked, lines to the console.
 *
 * Each line is with the operating system when the call returns: a process that dies at the next
 * instruction leaves its whole log. At the pace of this program's logging that costs nothing.
 *
 * @throws {RuntimeError} `logFile`, naming the file and the reason
 */
export function createLogger(options: LoggerOptions): {
  readonly logger: Logger;
  /** Resolves when every line is with the operating system; call it before the process exits. */
  readonly flush: () => Promise<void>;
} {
  const { process: name, file, console: style = "none", level = "info" } = options;
  surviveConsoleLoss();
  const streams: pino.StreamEntry[] = [];
  if (file !== undefined) streams.push({ level: "trace", stream: openFile(file) });
  if (style !== "none") streams.push({ level: "trace", stream: consoleStream(style) });
  const logger = pino(
    {
      level: streams.length === 0 ? "silent" : level,
      base: { process: name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.multistream(streams),
  );
  return {
    logger,
    flush: () =>
      // Standard error may be a pipe, which Node writes to behind our back.
      style === "none" || isConsoleGone
        ? Promise.resolve()
        : new Promise((resolve) => process.stderr.write("", () => resolve())),
  };
}

/**
 * Plain synchronous appends rather than pino.destination: with a full disk the latter keeps every
 * line in memory and tries for ever at exit.
 */
function openFile(file: string): pino.DestinationStream {
  let descriptor: number;
  try {
    mkdirSync(dirname(file), { recursive: true });
    descriptor = openSync(file, "a");
  } catch (error) {
    throw new RuntimeError("logFile", `cannot write the log file ${file}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  let isReported = false;
  return {
    write: (line) => {
      try {
        appendFileSync(descriptor, line);
      } catch (error) {
        // The line is lost, and said so once: a full disk must not end a training by its log.
        if (!isReported) {
          process.stderr.write(`cannot write the log file ${file}: ${reasonOf(error)}\n`);
        }
        isReported = true;
      }
    },
  };
}

let isConsoleGone = false;

/**
 * A terminal or pager that goes away (EPIPE) must not end a training: from then on this process
 * writes to standard error no more. Listened for once a process, however many loggers there are.
 */
function surviveConsoleLoss(): void {
  if (process.stderr.listeners("error").includes(onConsoleError)) return;
  process.stderr.on("error", onConsoleError);
}

function onConsoleError(): void {
  isConsoleGone = true;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function consoleStream(style: "pretty" | "json"): pino.DestinationStream {
  return {
    write: (line) => {
      if (isConsoleGone) return;
      process.stderr.write(style === "json" ? line : `${toConsoleLine(line)}\n`);
    },
  };
}
