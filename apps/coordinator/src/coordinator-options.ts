import type { RunConfig } from "@ostinato/run";
import type { SecurityFiles } from "./security/index.js";
import type { Note } from "./setup/index.js";

/** What a coordinator is started with, beside its run config. */
export interface CoordinatorOptions {
  readonly config: RunConfig;
  /** What the config was read from; messages about its keys begin with it. */
  readonly configFile: string;
  /**
   * Where workers connect, HOST:PORT (port 0: any) or unix:PATH. Beyond loopback only with encryption and tokens, or
   * with `insecure`.
   */
  readonly listen: string;
  /** Path of a Unix socket to listen on as well, for workers of this machine; without it they use `listen`. */
  readonly localSocket?: string | undefined;
  /**
   * Where /metrics, /healthz and /readyz listen, HOST:PORT. Beyond loopback encrypted, and /metrics for callers with a
   * token; with `insecure` plain and for everybody.
   */
  readonly http: string;
  /** The run directory; undefined: a new one below `runs`. A resume needs it. */
  readonly runDirectory: string | undefined;
  readonly resume: boolean;
  readonly insecure: boolean;
  /** Neither encryption nor tokens unless given. */
  readonly security?: SecurityFiles;
  readonly console: "none" | "pretty" | "json";
  /** Told in a sentence why the run is not open yet, where that takes time: a former coordinator may live. */
  readonly onWait?: ((text: string) => void) | undefined;
  /** Called once, when the coordinator listens and its run directory is there. */
  readonly onReady?: (ready: CoordinatorReady) => void;
}

export interface CoordinatorReady {
  /** Where workers connect. */
  readonly address: string;
  /** Where those of this machine do: the local socket if it listens there, else `address`. */
  readonly localAddress: string;
  /** Base URL of /metrics. */
  readonly metricsAddress: string;
  readonly runDirectory: string;
  /** What there is to say before the first step: of the text, and of what a resume found. */
  readonly notes: readonly Note[];
}
