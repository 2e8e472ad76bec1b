/**
 * What a run is on disk: its config, directory, ledger and checkpoints, and the proof that they are whole.
 *
 * @example
 * ```ts
 * const config = await loadConfig({ file: "lstm.yaml", overrides: ["training.epochs=2"] });
 * const run = await createRunDirectory({ path: undefined, config, symbols, startedAt, claimant });
 * const ledger = LedgerWriter.create(run.paths.ledger, { guard: () => run.claim.requireHeld() });
 * const { head, offset } = ledger.append(stepRecord);
 * await writeCheckpoint(run, { ...content, ledger: { head, offset } }, {
 *   beforeCommit: () => ledger.sync(),
 * });
 * const { ok, problems } = await verifyRun(run.paths.root);
 * ```
 *
 * @module
 */
export {
  decodeManifest,
  encodeManifest,
  encodeTensorFiles,
  loadCheckpoint,
  newestCheckpoint,
  parametersSha256,
  readPointer,
  retention,
  syncedLedgerBytes,
  TensorFileEncoder,
  writeCheckpoint,
} from "./checkpoint/index.js";
export type {
  CheckpointContent,
  CheckpointPointer,
  CheckpointProfile,
  CheckpointTensors,
  ExpectedRun,
  HashedFile,
  Manifest,
  NewestCheckpoint,
  NewestCheckpointOptions,
  PointerName,
  RetentionOptions,
  WriteCheckpointOptions,
} from "./checkpoint/index.js";
export {
  loadConfig,
  loadRunOrTaskConfig,
  parseOverride,
  requireSameTrajectory,
  roundedLeaves,
  taskModelSpec,
  trajectoryDigest,
} from "./config/index.js";
export type {
  RunOrTaskConfig,
  GradientSettings,
  LoadConfigOptions,
  Override,
  RunConfig,
  TaskConfig,
} from "./config/index.js";
export {
  compileRunModelSpec,
  layOut,
  layOutPairs,
  layOutSequences,
  layOutText,
  layoutSettings,
  modelOfData,
  readDataset,
} from "./data/index.js";
export type {
  DataLayout,
  ExpectedSamples,
  LayoutSettings,
  LeafSamples,
  ReadDataset,
  RunModelSpec,
  SplitLayout,
} from "./data/index.js";
export { decisionsOf, replayDecisions } from "./decisions/index.js";
export {
  createRunDirectory,
  decodePairVocabularies,
  decodeRunEnd,
  decodeVocabulary,
  encodeRunEnd,
  encodeVocabulary,
  openRunDirectory,
  readEndpoints,
  removeEndpoints,
  runPaths,
  writeEndpoints,
} from "./directory/index.js";
export type {
  CoordinatorEndpoints,
  CreateRunDirectoryOptions,
  NewRunDirectory,
  RunDirectory,
  RunEnd,
  RunPaths,
} from "./directory/index.js";
export { isUsageError, RunError } from "./errors/index.js";
export type { RunErrorCode } from "./errors/index.js";
export { claimRun, isProcessAlive, procProcesses, readIncarnation } from "./incarnation/index.js";
export type {
  ClaimClock,
  Claimant,
  Holder,
  Processes,
  ProcessIdentity,
  ProcProcessesOptions,
  RunClaim,
  SeenIncarnation,
  SignalSender,
} from "./incarnation/index.js";
export { decodeLedger, LedgerWriter, readLedger } from "./ledger/index.js";
export type {
  AppendedLine,
  EndRecord,
  EvaluationRecord,
  LedgerContents,
  LedgerEntry,
  LedgerRecord,
  LinePosition,
  ProfileRecord,
  ReadLedgerOptions,
  ResumeRecord,
  RunRecord,
  StepRecord,
} from "./ledger/index.js";
export { metricsLine, metricsOf, openMetricsFile } from "./metrics/index.js";
export type { MetricsFile, MetricsLine } from "./metrics/index.js";
export { decodeSafetensors, encodeSafetensors } from "./safetensors/index.js";
export type {
  FloatTensor,
  SafetensorsFile,
  StoredTensor,
  TensorType,
} from "./safetensors/index.js";
export { FileStorage, guardStorage } from "./storage/index.js";
export type { FileSystem, NamedBytes, Storage, WriteOptions } from "./storage/index.js";
export { verifyRun } from "./verify/index.js";
export type { StepDigest, VerifyOptions, VerifyReport, VerifySummary } from "./verify/index.js";
