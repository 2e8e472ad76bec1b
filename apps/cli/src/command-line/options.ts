/** What the arguments of each command amount to. */

import type { ClientSecurityOptions, ServerSecurityOptions } from "./security-options.js";

export interface TrainOptions {
  /** Undefined: the run's own, which is resumed. */
  readonly config: string | undefined;
  /** Instead of `cluster.workers` of the config. */
  readonly workers: number | undefined;
  /** `key=value` each. */
  readonly set: readonly string[];
  readonly runDir: string | undefined;
  readonly resume: boolean;
  readonly json: boolean;
}

export interface CoordinatorCommandOptions {
  /** Undefined: the run's own, which is resumed. */
  readonly config: string | undefined;
  readonly listen: string;
  readonly localSocket: string | undefined;
  readonly http: string;
  readonly set: readonly string[];
  readonly runDir: string | undefined;
  readonly resume: boolean;
  readonly insecure: boolean;
  readonly security: ServerSecurityOptions;
}

export interface StatusOptions {
  /** An address or a run directory; undefined: the newest run in `runs` that a coordinator works on. */
  readonly target: string | undefined;
  readonly json: boolean;
  readonly watch: boolean;
  /** Lists every time-out instead. */
  readonly timeouts: boolean;
  readonly insecure: boolean;
  readonly security: ClientSecurityOptions;
}

export interface WorkerCommandOptions {
  readonly coordinator: string;
  readonly backend: "native" | "wasm" | "cpu" | "native-bfloat16" | undefined;
  readonly threads: number | undefined;
  readonly http: string | undefined;
  readonly insecure: boolean;
  readonly security: ClientSecurityOptions;
  readonly deadline: number;
  readonly cacheDir: string | undefined;
  readonly name: string | undefined;
  readonly logFile: string | undefined;
}

export interface GenerateOptions {
  readonly run: string;
  /** Undefined: the text starts from nothing. */
  readonly prompt: string | undefined;
  /** Characters. */
  readonly length: number;
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
}

export interface EvaluateOptions {
  readonly run: string;
  readonly split: "train" | "validation" | "test";
  readonly json: boolean;
}

export interface PredictOptions {
  readonly run: string;
  /** Path of a JSON Lines file. */
  readonly input: string;
}

export interface TranslateOptions {
  readonly run: string;
  /** Path of a JSON Lines file; exactly one of `input` and `text` is given. */
  readonly input: string | undefined;
  /** One source. */
  readonly text: string | undefined;
  readonly beamSize: number;
  /** Tokens of a target. */
  readonly maxLength: number;
  readonly lengthPenalty: number;
  /** Targets of a source, up to `beamSize`. */
  readonly numBest: number;
}

export interface VerifyOptions {
  readonly run: string;
  readonly json: boolean;
}

export interface SummaryOptions {
  /** Path of a config or a run directory. */
  readonly source: string;
  /** `key=value` each. */
  readonly set: readonly string[];
  readonly json: boolean;
}

export interface DiagnoseOptions {
  /** Path of a config or a run directory. */
  readonly source: string;
  /** `key=value` each. */
  readonly set: readonly string[];
  /** Updates between two measurements; undefined: as the config says. */
  readonly steps: number | undefined;
  /** `key=value,value`. */
  readonly compare: string | undefined;
  /** File that the plots go to. */
  readonly svg: string | undefined;
  readonly json: boolean;
}

export interface DoctorOptions {
  /** Where runs would be kept. */
  readonly runDir: string;
  readonly json: boolean;
}

/** What the command line can be asked for; each resolves to an exit code. */
export interface Commands {
  train(options: TrainOptions): Promise<number>;
  coordinator(options: CoordinatorCommandOptions): Promise<number>;
  worker(options: WorkerCommandOptions): Promise<number>;
  generate(options: GenerateOptions): Promise<number>;
  evaluate(options: EvaluateOptions): Promise<number>;
  predict(options: PredictOptions): Promise<number>;
  translate(options: TranslateOptions): Promise<number>;
  verify(options: VerifyOptions): Promise<number>;
  summary(options: SummaryOptions): Promise<number>;
  diagnose(options: DiagnoseOptions): Promise<number>;
  status(options: StatusOptions): Promise<number>;
  doctor(options: DoctorOptions): Promise<number>;
}
