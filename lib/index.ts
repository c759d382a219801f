/** Everything public. */
export { Batcher, type BatcherRunOptions, type BatcherStats } from './batcher/batcher.js';
export type { Batching, BatchingOptions } from './batcher/options.js';
export type { Replica } from './cluster/group.js';
export type { ClusterOptions } from './cluster/options.js';
export { Server, type ServerOptions, startServer } from './cluster/server.js';
export type { ClusterSpec } from './cluster/spec.js';
export {
  type ConfigProtoJson,
  decodeRunMetadata,
  type RunMetadata,
  type RunOptionsJson,
} from './config.js';
export type { Device } from './device.js';
export type { DataOf, DType, NumericData, TensorData } from './dtype.js';
export { type ErrorCode, TensorFlowError } from './errors.js';
export type { Executor } from './executor.js';
export type { TraceLevel } from './explain.js';
export type { ExtensionOptions } from './extensions/extensions.js';
export type { GuardOptions, ModelLimits } from './guard/options.js';
export type { TensorLike } from './inputs.js';
export type { LoadOptions } from './load-options.js';
export type {
  BatcherOptions,
  ExplainOptions,
  ModelRunOptions,
  ModelRunSyncOptions,
  ReloadOptions,
  TraceOptions,
} from './model-options.js';
export type { RepairedVariable } from './model-sessions.js';
export type { PlacementOptions } from './placed-graph.js';
export type { PlacedOp, PlacementReport, Transfer } from './placement/report/report.js';
export type { NamePattern, PlacementRule, RegexJson } from './placement/rules.js';
export type { CriticalPath, PathStep } from './plan/critical-path.js';
export type { LintFinding } from './plan/lint.js';
export type { Flow, OpTime, Partition, Waiting } from './plan/partitions.js';
export type { CallOptions, CallSyncOptions, PreparedCall, PrepareOptions } from './prepared-call.js';
export type { OutputOptions, RunControl, SyncControl } from './run.js';
export type { LogEvent, LogListener } from './runtime/log.js';
export { type OpenOptions, tensorflow } from './runtime/tensorflow.js';
export type { Signature, Signatures, TensorInfo } from './saved-model/signatures.js';
export { SavedModel } from './saved-model.js';
export { Session } from './session.js';
export type {
  ExecutionOptions,
  GraphOptions,
  SessionRunOptions,
  SessionRunSyncOptions,
} from './session-options.js';
export type {
  AnySignatures,
  InputsOf,
  OutputsOf,
  SignatureSpec,
  SignatureSpecs,
  TensorSpec,
} from './signature-types.js';
export { Tensor } from './tensor.js';
export type { Nested, Scalar, TensorSource } from './tensor-encode.js';
export type { ChromeEvent, ChromeTrace } from './trace/chrome-trace.js';
export type { TraceEvent, TraceOutput, TraceTransfer } from './trace/timeline.js';
export type { Trace } from './trace/trace.js';
