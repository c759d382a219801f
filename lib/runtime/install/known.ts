/** Wheels whose contents are pinned: what is fetched is what was looked at when this package was made. */
import { basename } from 'node:path';
import { TensorFlowError } from '../../errors.js';

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
  'tensorflow-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl': {
    bytes: 572440367,
    sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
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
  [`tensorflow_cpu-2.19.1-${MANYLINUX_2_17}`]: {
    bytes: 251795484,
    sha256: '0b6d72bd09c267e7573757bd309f5b1e2cdb02577339991da751f3a1411e4dae',
  },
  [`tensorflow_cpu-2.18.1-${MANYLINUX_2_17}`]: {
    bytes: 230236181,
    sha256: '810c75d7149d2da0cb2092187817b0dcabb80728ca9f9cf3a61f3f42fadd1298',
  },
  [`tensorflow_cpu-2.17.1-${MANYLINUX_2_17}`]: {
    bytes: 221239512,
    sha256: '4935d35d15924602605c839cb6cd5a578f89f626d8736f62065fe3a089b63b6f',
  },
  [`tensorflow_cpu-2.16.2-${MANYLINUX_2_17}`]: {
    bytes: 214055683,
    sha256: 'c855cb6bf05d32dd5928086b03a5f6b4189b63c22b95e017703cbee4291023ca',
  },
  [`tensorflow_cpu-2.15.1-${MANYLINUX_2_17}`]: {
    bytes: 207208420,
    sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
  },
  [`tensorflow_cpu-2.14.1-${MANYLINUX_2_17}`]: {
    bytes: 198258937,
    sha256: '7f9d705b4d57acc5835de9d926515a70535e3a178a89ad59f0d380503b69f705',
  },
  [`tensorflow_cpu-2.13.1-${MANYLINUX_2_17}`]: {
    bytes: 186594601,
    sha256: '87be6e61314b2c0fa062f71e26e41d6a17e162ffe4da72c820fe8f1fc94d97fe',
  },
  [`tensorflow_cpu-2.12.1-${MANYLINUX_2_17}`]: {
    bytes: 231826663,
    sha256: '7ffb595707a8fb376deaddc768784c7a0242b16cbc6e06393b1733b2ce19f855',
  },
  [`tensorflow-2.20.0-${MANYLINUX_2_17}`]: {
    bytes: 620570129,
    sha256: '481499fd0f824583de8945be61d5e827898cdaa4f5ea1bc2cc28ca2ccff8229e',
  },
  [`tensorflow-2.19.1-${MANYLINUX_2_17}`]: {
    bytes: 644896980,
    sha256: '8e5524eb492160576e5eeea9bb472ddc653123503f2290f83123d5ac9545750e',
  },
  [`tensorflow-2.18.1-${MANYLINUX_2_17}`]: {
    bytes: 615510377,
    sha256: 'c9f87e5d2a680a4595f5dc30daf6bbaec9d4129b46d7ef1b2af63c46ac7d2828',
  },
  [`tensorflow-2.17.1-${MANYLINUX_2_17}`]: {
    bytes: 601300475,
    sha256: '68841e17e573301d8ba9192f929b8096b0b341567cb81414096305c723de68d0',
  },
  [`tensorflow-2.16.2-${MANYLINUX_2_17}`]: {
    bytes: 590660880,
    sha256: 'd8798dea8e2281b4a0b569d9c00e7949c0090509be363da271e1ef21828bffae',
  },
  [`tensorflow-2.15.1-${MANYLINUX_2_17}`]: {
    bytes: 475258663,
    sha256: 'bb0edd69103c154245c5f209f0507355cc68ba7e4de350084bc31edc562478e4',
  },
  [`tensorflow-2.14.1-${MANYLINUX_2_17}`]: {
    bytes: 489904758,
    sha256: 'c9aa05a98450fa5bc4efd529383b7d15c10ec12b0238a6744baa1508c4bfa4d5',
  },
};

/** CUDA's, as pip chose them for TensorFlow 2.21.0 when this package was made; it takes newer ones where there are any. */
const CUDA_WHEELS: Record<string, KnownWheel> = {
  'nvidia_cublas_cu12-12.9.3.13-py3-none-manylinux_2_27_x86_64.whl': {
    bytes: 581217458,
    sha256: 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72',
  },
  'nvidia_cuda_cupti_cu12-12.9.79-py3-none-manylinux_2_25_x86_64.whl': {
    bytes: 10814997,
    sha256: '096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f',
  },
  'nvidia_cuda_nvcc_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl': {
    bytes: 40546229,
    sha256: '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0',
  },
  'nvidia_cuda_nvrtc_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl': {
    bytes: 89568129,
    sha256: '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4',
  },
  'nvidia_cuda_runtime_cu12-12.9.79-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl': {
    bytes: 3493179,
    sha256: '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3',
  },
  'nvidia_cudnn_cu12-9.28.0.42-py3-none-manylinux_2_27_x86_64.whl': {
    bytes: 716538495,
    sha256: '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375',
  },
  'nvidia_cufft_cu12-11.4.1.4-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl': {
    bytes: 200877592,
    sha256: 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28',
  },
  'nvidia_curand_cu12-10.3.10.19-py3-none-manylinux_2_27_x86_64.whl': {
    bytes: 68295626,
    sha256: '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e',
  },
  'nvidia_cusolver_cu12-11.7.5.82-py3-none-manylinux_2_27_x86_64.whl': {
    bytes: 338117415,
    sha256: '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88',
  },
  'nvidia_cusparse_cu12-12.5.10.65-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl': {
    bytes: 366465088,
    sha256: '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78',
  },
  'nvidia_nccl_cu12-2.32.3-py3-none-manylinux_2_27_x86_64.whl': {
    bytes: 351526311,
    sha256: 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c',
  },
  'nvidia_nvjitlink_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl': {
    bytes: 39748338,
    sha256: 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9',
  },
};

/** The wheel of this file name, where it is pinned. */
function knownWheel(fileName: string): KnownWheel | undefined {
  const table = Object.hasOwn(CUDA_WHEELS, fileName) ? CUDA_WHEELS : WHEELS;
  return Object.hasOwn(table, fileName) ? table[fileName] : undefined;
}

/** What the CUDA wheels of the default version have in all, for the space and the time that they take. */
export const CUDA_WHEELS_BYTES = Object.values(CUDA_WHEELS).reduce((sum, { bytes }) => sum + bytes, 0);
export const CUDA_WHEELS_COUNT = Object.keys(CUDA_WHEELS).length;

/** Bytes of the wheel that pip will choose, for the progress bar; `undefined` where it isn't pinned. */
export function expectedBytes(project: string, version: string, machine: string): number | undefined {
  const start = `${project.replaceAll('-', '_')}-${version}-`;
  const name = Object.keys(WHEELS).find((file) => file.startsWith(start) && file.includes(machine));
  return name === undefined ? undefined : WHEELS[name]?.bytes;
}

/** Throws DATA_LOSS where a wheel of a pinned name is another file. Returns whether the name is pinned. */
export function requireKnown(path: string, measured: KnownWheel): boolean {
  const known = knownWheel(basename(path));
  if (known === undefined) return false;
  if (known.sha256 === measured.sha256) return true;
  const how =
    known.bytes > measured.bytes ? 'is truncated or damaged' : 'is damaged, or another file of this name';
  throw new TensorFlowError(
    'DATA_LOSS',
    `${path} ${how}: it has ${measured.bytes} bytes with SHA-256 ${measured.sha256}, the published wheel has ` +
      `${known.bytes} bytes with ${known.sha256}. Fetch it again.`,
  );
}
