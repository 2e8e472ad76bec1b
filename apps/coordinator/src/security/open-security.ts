/** What stands before a coordinator's ports: encryption, tokens, bounds on peers; and what they turn away. */

import type { Refusal, ServerGuard, ServerTlsFiles } from "@ostinato/proto";
import {
  createServerGuard,
  readTokenFile,
  roleOf,
  ServerTls,
  Tokens,
  WatchedFiles,
} from "@ostinato/proto";
import type { Clock } from "@ostinato/runtime";
import type { Registry } from "prom-client";
import { createRefusalMetrics, RatedLines } from "../ops/index.js";

export interface SecurityFiles {
  /** Encrypts the gRPC port, and the HTTP port where other machines can reach it; undefined: neither is encrypted. */
  readonly tls?: ServerTlsFiles | undefined;
  /** Tokens of workers and viewers; undefined: none is asked for. */
  readonly tokenFile?: string | undefined;
}

export interface Security {
  readonly tls: ServerTls | undefined;
  readonly guard: ServerGuard;
  /** Whether there is all that an address beyond loopback needs. */
  readonly isComplete: boolean;
  /** Whether pages may be read from an address with this `Authorization` header; undefined: by everybody. */
  readonly mayRead: ((authorization: string | undefined, address: string) => boolean) | undefined;
  /** Counts and tells of what others than the guard turn away. */
  readonly onRefused: (refusal: Refusal) => void;
  /** Files are not watched any more. */
  dispose(): void;
}

export interface SecurityModules {
  readonly clock: Clock;
  readonly registry: Registry;
  /** Tells the log, in one line. */
  readonly report: (level: "info" | "warn", text: string) => void;
}

/** How many refusals are told in the log, which a peer must not be able to fill; metrics count all. */
const TOLD = { burst: 20, perSecond: 0.5 };

/** @throws {WireError} `credentialFile`, naming the file and what is wrong with it */
export function openSecurity(files: SecurityFiles, modules: SecurityModules): Security {
  const { clock, registry, report } = modules;
  const wallTimeMs = (): number => clock.wallTime().getTime();
  const tls =
    files.tls === undefined ? undefined : new ServerTls(files.tls, { wallTimeMs, report });
  let tokens: WatchedFiles<Tokens> | undefined;
  try {
    tokens =
      files.tokenFile === undefined
        ? undefined
        : watchTokens(files.tokenFile, report, () => {
            guard.recheck();
          });
  } catch (error) {
    tls?.dispose();
    throw error;
  }
  const metrics = createRefusalMetrics(registry);
  const lines = new RatedLines(TOLD, clock.now());
  const onRefused = ({ reason, address, text }: Refusal): void => {
    metrics.refusals.inc({ reason });
    const all = `refused ${address || "a peer without an address"}: ${text}`;
    const line = lines.take(all, clock.now());
    if (line !== undefined) report("warn", line);
  };
  const guard = createServerGuard({
    clock,
    tokens: () => tokens?.value,
    onRefused,
  });
  return {
    tls,
    guard,
    isComplete: tls !== undefined && tokens !== undefined,
    mayRead:
      tokens === undefined
        ? undefined
        : (authorization, address) => {
            if (roleOf(tokens.value, authorization) !== undefined) return true;
            const what = authorization === undefined ? "shows no token" : "shows an unknown token";
            const text = `whoever asks for a page ${what}`;
            onRefused({ reason: "unauthenticated", address, text });
            return false;
          },
    onRefused,
    dispose: () => {
      tls?.dispose();
      tokens?.dispose();
    },
  };
}

function watchTokens(
  path: string,
  report: SecurityModules["report"],
  onReloaded: () => void,
): WatchedFiles<Tokens> {
  return new WatchedFiles({
    paths: [path],
    read: () => new Tokens(readTokenFile(path)),
    onReloaded: () => {
      report("info", `${path} was read again; calls need its tokens from now on, open ones too`);
      onReloaded();
    },
    onRefused: (reason) => {
      report("warn", `${reason}; the tokens read before still hold`);
    },
  });
}
