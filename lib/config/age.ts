/** What an older TensorFlow does not know of a message: it would skip such fields without a word. */

import { type DescMessage, fromBinary, type Message } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { TensorFlowError } from '../errors.js';
import { isOlder } from '../minor-version.js';
import { SINCE } from './since.js';

/** The last version that brought anything. */
const LAST = Object.values(SINCE).reduce((a, b) => (isOlder(a, b) ? b : a));

/** Fields that an error lists at most. */
const MOST = 5;

/**
 * @param bytes a serialized message that was checked before, or undefined
 * @param path what error messages call it
 * @param version the opened library's
 * @throws TensorFlowError LIBRARY_TOO_OLD naming the fields that are set, and the version that each needs
 */
export function checkAge(
  schema: DescMessage,
  bytes: Uint8Array | undefined,
  path: string,
  version: string,
): void {
  if (bytes === undefined || !isOlder(version, LAST)) return;
  const unknown: string[] = [];
  collect(schema, fromBinary(schema, bytes), path, version, unknown);
  if (unknown.length === 0) return;
  const more = unknown.length > MOST ? ` and ${unknown.length - MOST} more` : '';
  throw new TensorFlowError(
    'LIBRARY_TOO_OLD',
    `The opened TensorFlow ${version} does not know, and would silently ignore: ${unknown.slice(0, MOST).join(', ')}${more}. ` +
      'Leave that out, or open a newer library.',
  );
}

function collect(
  schema: DescMessage,
  message: Message,
  path: string,
  version: string,
  unknown: string[],
): void {
  const note = (key: string, at: string) => {
    const since = SINCE[key];
    const isNewer = since !== undefined && isOlder(version, since);
    if (isNewer) unknown.push(`${at} (from ${since} on)`);
    return isNewer;
  };
  const reflected = reflect(schema, message);
  for (const field of schema.fields) {
    if (!reflected.isSet(field)) continue;
    const at = `${path}.${field.jsonName}`;
    if (note(`${schema.typeName}.${field.number}`, at)) continue;
    if (field.fieldKind === 'enum') {
      const number = reflected.get(field);
      const name = field.enum.value[number]?.name ?? String(number);
      note(`${field.enum.typeName}.${number}`, `${at}: ${JSON.stringify(name)}`);
    } else if (field.fieldKind === 'message') {
      collect(field.message, reflected.get(field).message, at, version, unknown);
    } else if (field.fieldKind === 'list' && field.listKind === 'message') {
      for (const [i, item] of [...reflected.get(field)].entries()) {
        collect(field.message, (item as { message: Message }).message, `${at}[${i}]`, version, unknown);
      }
    }
  }
}
