/** Makes `.npy` files. */

/** The bytes of a file with this header and these elements. */
export function npyFile(
  descr: string,
  shape: readonly number[],
  elements: Uint8Array,
  { fortran = false, version = 1, header }: { fortran?: boolean; version?: 1 | 2 | 3; header?: string } = {},
): Buffer {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text =
    header ?? `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${sizes}), }`;
  const start = version === 1 ? 10 : 12;
  const padding = 64 - ((start + Buffer.byteLength(text) + 1) % 64);
  const padded = Buffer.from(`${text}${' '.repeat(padding)}\n`, version === 3 ? 'utf8' : 'latin1');
  const length = Buffer.alloc(start - 8);
  if (version === 1) length.writeUInt16LE(padded.length);
  else length.writeUInt32LE(padded.length);
  return Buffer.concat([
    Buffer.from('\x93NUMPY', 'latin1'),
    Buffer.from([version, 0]),
    length,
    padded,
    elements,
  ]);
}

/** Elements written one by one by a method of Buffer: `numbers('writeFloatBE', 4, [1, 2])`. */
export function numbers(
  method: keyof Buffer & `write${string}`,
  bytes: number,
  values: readonly (number | bigint)[],
): Buffer {
  const buffer = Buffer.alloc(bytes * values.length);
  values.forEach((value, i) => {
    (buffer[method] as (value: number | bigint, offset: number) => number)(value, i * bytes);
  });
  return buffer;
}

/** Strings as code points of four bytes, padded to `width` characters. */
export function unicode(values: readonly string[], width: number, little = true): Buffer {
  const points = values.flatMap((value) => {
    const characters = [...value].map((character) => character.codePointAt(0)!);
    return [...characters, ...new Array<number>(width - characters.length).fill(0)];
  });
  return numbers(little ? 'writeUInt32LE' : 'writeUInt32BE', 4, points);
}
