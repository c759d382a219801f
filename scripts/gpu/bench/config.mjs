// A ConfigProto as bytes, by the package's own encoder, which it does not export: C and Python get the same as this library.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const dist = dirname(createRequire(import.meta.url).resolve('tf-session'));
const { encodeConfig } = await import(pathToFileURL(join(dist, 'config.js')).href);

/** @param {object} json A ConfigProto by protobuf's JSON mapping. */
export function configBytes(json) {
  return Buffer.from(encodeConfig(json));
}
