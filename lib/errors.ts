/**
 * The one error class of this library.
 *
 * `code` is stable and meant for programs; `message` is meant for people and says what to do. TensorFlow's
 * own status codes keep their names (tensorflow/c/tf_status.h), ours are added to them.
 */

/** TensorFlow's status codes by number, as in `TF_Code`. */
const STATUS_CODES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** What went wrong: one of TensorFlow's codes, or one of the four that this library adds. */
export type ErrorCode =
  | Exclude<(typeof STATUS_CODES)[number], 'OK'>
  /** No libtensorflow was found, or the file is not one (wrong platform, truncated, a missing function). */
  | 'LIBRARY_NOT_FOUND'
  /** The native addon of this package is neither prebuilt for this platform nor built. */
  | 'ADDON_NOT_FOUND'
  /** The opened libtensorflow lacks a function that this call needs; the message names the version that has it. */
  | 'LIBRARY_TOO_OLD'
  /** An option that does not exist, has the wrong type, or contradicts another. */
  | 'INVALID_OPTION';

/** What servers put behind their errors: lines of their logs, whatever these are about. */
const RECENT_LOGS = 'Recent warning and error logs:';

export class TensorFlowError extends Error {
  override readonly name = 'TensorFlowError';
  /** Stable, for programs. */
  readonly code: ErrorCode;
  /** The op that failed, where TensorFlow's message names one. */
  readonly op: string | undefined;

  /** The native addon passes a number: TensorFlow's status code. A code that is not known yet becomes `UNKNOWN`. */
  constructor(
    code: ErrorCode | number,
    message: string,
    options?: ErrorOptions & { op?: string | undefined },
  ) {
    super(withoutLogs(message), options);
    const name = typeof code === 'number' ? (STATUS_CODES[code] ?? 'UNKNOWN') : code;
    this.code = name === 'OK' ? 'UNKNOWN' : name;
    this.op = options?.op ?? opOf(message);
  }
}

function withoutLogs(message: string): string {
  const at = message.indexOf(RECENT_LOGS);
  return at === -1 ? message : message.slice(0, at).trimEnd().replace(/=+$/, '').trimEnd();
}

/** TensorFlow marks ops as `{{node a/b}}` or `{{function_node f}}{{node a/b}}`, before 1.12 as `[[Node: a/b = Op[…]]]`. */
function opOf(message: string): string | undefined {
  // No name is as long as what a caller may have put into a message.
  return (/\{\{node ([^}]{1,2000})\}\}/.exec(message) ?? /\[\[Node: (\S{1,2000}) = /.exec(message))?.[1];
}

/** Names beyond it are compared with nothing, which would take its time. */
const LONGEST_NAME = 1000;

/** The names nearest to a wrong one, best first, for messages that end in "did you mean …". */
export function nearNames(wrong: string, names: Iterable<string>, most = 3): string[] {
  const scored: { name: string; distance: number }[] = [];
  const lower = wrong.toLowerCase();
  const farthest = Math.max(2, Math.floor(wrong.length / 3));
  for (const name of names) {
    const within = wrong.length > 2 && name.toLowerCase().includes(lower);
    const isFar = Math.abs(wrong.length - name.length) > farthest || wrong.length > LONGEST_NAME;
    if (isFar && !within) continue;
    const distance = isFar ? name.length - wrong.length : editDistance(lower, name.toLowerCase());
    if (within || distance <= farthest) scored.push({ name, distance });
  }
  scored.sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name));
  return scored.slice(0, most).map((s) => s.name);
}

/** ` Did you mean "x" or "y"?`, or nothing where no name is near. */
export function didYouMean(wrong: string, names: Iterable<string>): string {
  const near = nearNames(wrong, names).map((name) => JSON.stringify(name));
  return near.length === 0 ? '' : ` Did you mean ${near.join(' or ')}?`;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + change);
    }
    previous = row;
  }
  return previous[b.length]!;
}

/** What runs of a closed session reject with. */
export function closedError(): TensorFlowError {
  return new TensorFlowError('FAILED_PRECONDITION', 'The session is closed.');
}
