/** Wheels whose contents are pinned: what is fetched is what was looked at when this package was made. */

export interface KnownWheel {
  bytes: number;
  /** SHA-256 as hex. */
  sha256: string;
}

const MANYLINUX_2_17 = 'cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl';

const WHEELS: Record<string, KnownWheel> = {
  'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl': {
    bytes: 273829956,
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
  },
  'tensorflow-2.21.0-cp311-cp311-manylinux_2_27_aarch64.whl': {
    bytes: 281828020,
    sha256: '4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c',
  },
  [`tensorflow_cpu-2.20.0-${MANYLINUX_2_17}`]: {
    bytes: 258876263,
    sha256: 'cf756bbe2d256e942ab5d0ad2c858fb40017581494febdb4387c149b1afde780',
  },
  [`tensorflow_cpu-2.19.0-${MANYLINUX_2_17}`]: {
    bytes: 251793806,
    sha256: '9389305ae3012288a5e367081b6757bfb9d86d4048c69989c659830b257e1c51',
  },
  [`tensorflow_cpu-2.18.0-${MANYLINUX_2_17}`]: {
    bytes: 230152077,
    sha256: '089e71746960ea581dca53401f84b3b99c8537313e337a9e5dbf97036a936f7e',
  },
  [`tensorflow_cpu-2.17.0-${MANYLINUX_2_17}`]: {
    bytes: 221240309,
    sha256: 'e7f383ffe153d67de338b0fc26ab44546466ec016fe4dbff74bfd206d1894285',
  },
  [`tensorflow_cpu-2.16.1-${MANYLINUX_2_17}`]: {
    bytes: 214055661,
    sha256: '8fde4a1a1515f3099119c2d71e1653aa6e7ae81ec58b7cb045cab5e5bb147b8b',
  },
  [`tensorflow_cpu-2.15.0-${MANYLINUX_2_17}`]: {
    bytes: 207208171,
    sha256: 'f46c795177f6311c83562e05d38dc7d4618f8d3150e6902a4499b875f3f97270',
  },
  [`tensorflow_cpu-2.12.0-${MANYLINUX_2_17}`]: {
    bytes: 231819176,
    sha256: 'e8c7047552a2d759f3e65ac13e36dd24bb5fec2e6576e848287811ec44b3d62f',
  },
};

/** The wheel of this file name, where it is pinned. */
export function knownWheel(fileName: string): KnownWheel | undefined {
  return Object.hasOwn(WHEELS, fileName) ? WHEELS[fileName] : undefined;
}

/** Bytes of the wheel that pip will choose, for the progress bar; `undefined` where it isn't pinned. */
export function expectedBytes(project: string, version: string, machine: string): number | undefined {
  const start = `${project.replaceAll('-', '_')}-${version}-`;
  const name = Object.keys(WHEELS).find((file) => file.startsWith(start) && file.includes(machine));
  return name === undefined ? undefined : WHEELS[name]?.bytes;
}
