import type { BackendName } from "@ostinato/kernels/tensor";
import type { ClientSecurity } from "@ostinato/proto";

/** What a worker is started with. Everything else comes from the coordinator. */
export interface WorkerOptions {
  /** The coordinator's address, HOST:PORT or unix:PATH. */
  readonly coordinator: string;
  /** Encryption and token, from files that are read at each connection; neither unless given. */
  readonly security?: ClientSecurity;
  /** The only backend to offer; undefined: every one that works here, the preferred one first. */
  readonly backend: BackendName | undefined;
  /** Threads that compute, where the backend has several; undefined: one a processor. */
  readonly threads: number | undefined;
  /** Where /metrics, /healthz and /readyz listen, HOST:PORT (port 0: any); undefined: nowhere. */
  readonly http: string | undefined;
  /** Lets `http` be an address that other machines can reach; false unless given. */
  readonly insecure?: boolean;
  /**
   * How long an unreachable coordinator is tried, in seconds, a fraction allowed; from the first
   * join on, the run's own deadline holds instead, for time-outs and keepalive alike.
   */
  readonly deadlineSeconds: number;
  /** Where fetched data sets are kept; undefined: a folder for the user's caches. */
  readonly cacheDirectory: string | undefined;
  readonly logFile: string | undefined;
  /** For people; undefined: host name and process id. */
  readonly name: string | undefined;
  readonly console: "none" | "pretty" | "json";
  /** Called once, when the metrics endpoint listens; never where `http` is undefined. */
  readonly onReady?: (o: { readonly metricsAddress: string }) => void;
}
