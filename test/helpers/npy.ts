/** NumPy's .npy of numbers in row-major order, as the fixtures need it. */
import { readFileSync } from 'node:fs';

const ARRAYS = { '<f4': Float32Array, '<i2': Int16Array, '|u1': Uint8Array, '<f2': Uint16Array } as const;

export function readNpy(path: string | URL) {
  const file = readFileSync(path);
  const start = 10 + file.readUInt16LE(8);
  const header = file.toString('latin1', 10, start);
  const type = /'descr': '([^']+)'/.exec(header)?.[1] as keyof typeof ARRAYS;
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .filter((n) => n.trim())
    .map(Number);
  if (
    file.toString('latin1', 1, 6) !== 'NUMPY' ||
    !(type in ARRAYS) ||
    header.includes("'fortran_order': True")
  ) {
    throw new Error(`${path}: ${header}`);
  }
  const body = new Uint8Array(file.subarray(start)).buffer;
  return { type, shape, data: new ARRAYS[type](body) };
}
