/** How error messages speak of a value that an option should not have. */

import { TensorFlowError } from '../errors.js';

/** An error about the value at `path`. */
export function wrongValue(path: string, given: unknown, wanted: string): TensorFlowError {
  return new TensorFlowError('INVALID_OPTION', `${path} is ${describe(given)}; wanted ${wanted}.`);
}

/** Objects written as literals, parsed from JSON, or without a prototype, of this realm or another. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
    case 'bigint':
      return `${value}n`;
    case 'function':
    case 'symbol':
      return `a ${typeof value}`;
    case 'object': {
      if (value === null) return 'null';
      if (Array.isArray(value)) return 'an array';
      if (isPlainObject(value)) return 'an object';
      const maker: unknown = (value as { constructor?: unknown }).constructor;
      return typeof maker === 'function' && maker.name
        ? `an instance of ${maker.name}`
        : 'an object of another kind';
    }
    default:
      return String(value);
  }
}
