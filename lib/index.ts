/** Everything public. */
export {
  type ConfigProtoJson,
  decodeRunMetadata,
  type RunMetadata,
  type RunOptionsJson,
} from './config.js';
export type { DataOf, DType, NumericData, TensorData } from './dtype.js';
export { type ErrorCode, TensorFlowError } from './errors.js';
export type { TensorLike } from './inputs.js';
export type { OutputOptions, RunControl } from './run.js';
export { type OpenOptions, tensorflow } from './runtime/tensorflow.js';
export type { Signature, Signatures, TensorInfo } from './saved-model/signatures.js';
export {
  type LoadOptions,
  type ModelRunOptions,
  type ModelRunSyncOptions,
  SavedModel,
} from './saved-model.js';
export { type Device, Session, type SessionRunOptions, type SessionRunSyncOptions } from './session.js';
export { Tensor } from './tensor.js';
export type { Nested, Scalar, TensorSource } from './tensor-encode.js';
