/** Ops that reach beyond their inputs: a model from somebody else can read and write files with them, and worse. */

const WRITES_CHECKPOINT = 'writes a checkpoint';
const READS_CHECKPOINT = 'reads a checkpoint';
const READS_RECORDS = 'reads a file that its input names';
const CALLS_PYTHON = 'calls a Python function of the program that made the model: it fails here';
const DATA_SERVICE = 'talks to a data service over the network';
const DEBUGS = 'writes tensors to files or over the network';
const DATASET = 'reads files as a dataset';
const RUNS_GRAPH = 'runs a graph that its input holds, of which nothing is known here';
const WRITES_DATASET = 'writes a dataset to files';

/** What each does. Names of later versions (`V2`) and `Experimental…` are looked up without either. */
const WHY: Record<string, string> = {
  ReadFile: 'reads any file that its input names',
  WriteFile: 'writes any file that its input names',
  MatchingFiles: 'lists files by a pattern',
  ImmutableConst: 'maps a file into memory',
  Save: WRITES_CHECKPOINT,
  SaveSlices: WRITES_CHECKPOINT,
  MergeV2Checkpoints: 'merges the parts of a checkpoint and deletes them',
  Restore: READS_CHECKPOINT,
  RestoreSlice: READS_CHECKPOINT,
  LoadAndRemapMatrix: READS_CHECKPOINT,
  GenerateVocabRemapping: 'reads vocabulary files',
  InitializeTableFromTextFile: 'reads a text file into a table, mostly an asset of the model',
  InitializeTableFromDataset: 'fills a table from a dataset',
  WholeFileReader: READS_RECORDS,
  TextLineReader: READS_RECORDS,
  TFRecordReader: READS_RECORDS,
  FixedLengthRecordReader: READS_RECORDS,
  LMDBReader: READS_RECORDS,
  Skipgram: 'reads a text file',
  TextLineDataset: DATASET,
  TFRecordDataset: DATASET,
  FixedLengthRecordDataset: DATASET,
  LMDBDataset: DATASET,
  CSVDataset: DATASET,
  MatchingFilesDataset: 'lists files by a pattern',
  LoadDataset: DATASET,
  SqlDataset: 'reads a database',
  SnapshotDatasetReader: DATASET,
  SnapshotChunkDataset: DATASET,
  CacheDataset: 'may keep a dataset in files',
  SnapshotDataset: WRITES_DATASET,
  SaveDataset: WRITES_DATASET,
  DatasetToTFRecord: WRITES_DATASET,
  DistributedSave: WRITES_DATASET,
  CreateSummaryFileWriter: 'writes a summary log',
  CreateSummaryDbWriter: 'writes a summary database',
  PrintV2: 'prints, to a file where its output_stream names one',
  RecordInput: 'reads files by a pattern',
  ListSnapshotChunksDataset: DATASET,
  DebugIdentity: DEBUGS,
  DebugNanCount: DEBUGS,
  DebugNumericSummary: DEBUGS,
  DataServiceDataset: DATA_SERVICE,
  RegisterDataset: DATA_SERVICE,
  RpcServer: 'serves over the network',
  RpcClient: 'calls servers over the network',
  FileSystemSetConfiguration: 'configures a file system',
  GcsConfigureCredentials: 'configures a file system',
  GcsConfigureBlockCache: 'configures a file system',
  DecodeProtoV2: 'may read a descriptor file',
  EncodeProto: 'may read a descriptor file',
  PyFunc: CALLS_PYTHON,
  PyFuncStateless: CALLS_PYTHON,
  EagerPyFunc: CALLS_PYTHON,
  Abort: 'ends the process',
  WorkerHeartbeat: 'may end the process',
  DatasetFromGraph: RUNS_GRAPH,
  RemoteFusedGraphExecute: RUNS_GRAPH,
  CalibrationStatisticsSaver: 'writes a file',
  DumpTensor: 'writes tensors to files',
  DTensorRestore: READS_CHECKPOINT,
  FixedUnigramCandidateSampler: 'may read a vocabulary file',
};

/** Those that no model of use has: refused where they are not allowed by name. */
const REFUSED: ReadonlySet<string> = new Set([
  'PyFunc',
  'PyFuncStateless',
  'EagerPyFunc',
  'Abort',
  'DatasetFromGraph',
]);

/** Whether a model with such an op is refused, where nothing else is said. */
export function isRefused(type: string): boolean {
  return REFUSED.has(type);
}

/** Why an op of this type is listed among those that touch files; undefined where it isn't. */
export function touchesFiles(type: string): string | undefined {
  if (Object.hasOwn(WHY, type)) return WHY[type];
  const plain = type.replace(/^Experimental/, '').replace(/V\d+$/, '');
  return Object.hasOwn(WHY, plain) ? WHY[plain] : undefined;
}
