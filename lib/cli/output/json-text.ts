/** JSON in pieces: a document may be longer than the longest string there can be. */

/** A piece is handed on when it has grown to this many characters. */
const PIECE = 1 << 16;

/**
 * The text of a JSON value in pieces of some 64 kB. As `JSON.stringify`, but minus zero stays `-0`.
 * Values are plain objects, arrays, strings, finite numbers, booleans and null.
 */
export function* jsonText(value: unknown): Generator<string> {
  let text = '';
  for (const token of tokens(value)) {
    text += token;
    if (text.length < PIECE) continue;
    yield text;
    text = '';
  }
  yield text;
}

function* tokens(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) {
    yield scalar(value);
  } else if (Array.isArray(value)) {
    yield* arrayTokens(value);
  } else {
    yield '{';
    let separator = '';
    for (const [key, inner] of Object.entries(value)) {
      if (inner === undefined) continue;
      yield `${separator}${JSON.stringify(key)}:`;
      yield* tokens(inner);
      separator = ',';
    }
    yield '}';
  }
}

/** Runs of scalars, of which a tensor's data consists, go into one token: a step of a generator each would be slow. */
function* arrayTokens(array: readonly unknown[]): Generator<string> {
  let text = '[';
  for (let i = 0; i < array.length; i++) {
    const item = array[i];
    if (i > 0) text += ',';
    if (typeof item === 'object' && item !== null) {
      yield text;
      text = '';
      yield* tokens(item);
      continue;
    }
    text += scalar(item);
    if (text.length < PIECE) continue;
    yield text;
    text = '';
  }
  yield `${text}]`;
}

function scalar(value: unknown): string {
  return Object.is(value, -0) ? '-0' : (JSON.stringify(value) ?? 'null');
}
