/** Which of TensorFlow's wheels is for this machine. */
import { TensorFlowError } from '../../errors.js';
import type { Variant } from '../cache.js';
import { glibcVersion } from '../glibc.js';
import { compareVersions } from '../version.js';

/** The first version whose wheel holds libtensorflow_cc. */
const FIRST_WHEEL = '2.12.0';
/** TensorFlow's own wheels ask for no newer one. */
const GLIBC_MINOR = 27;

export interface WantedWheel {
  /** The project's name: the CPU build has one of its own on x86, and an older one on ARM. */
  project: string;
  /** As in platform tags. */
  machine: string;
}

/** Throws FAILED_PRECONDITION where there is none for this machine, NOT_FOUND where there is none of the version. */
export function wantedWheel(version: string, variant: Variant): WantedWheel {
  const { platform, arch } = process;
  const isLinux = platform === 'linux' && (arch === 'x64' || arch === 'arm64');
  if (variant === 'gpu' && !(isLinux && arch === 'x64')) {
    throw new TensorFlowError(
      'FAILED_PRECONDITION',
      `There is no GPU build of TensorFlow to fetch for ${platform} ${arch}: those are for Linux x64 alone` +
        `${platform === 'win32' ? ' (WSL 2 is one)' : ''}. ` +
        (isLinux
          ? 'Leave --gpu out for the CPU build, or name a library that was built for it with `--from FILE_OR_DIR`.'
          : 'Get or build a libtensorflow for it and run `tf-session install --from FILE_OR_DIR`.'),
    );
  }
  if (!isLinux) {
    throw new TensorFlowError(
      'FAILED_PRECONDITION',
      `There is no TensorFlow to fetch for ${platform} ${arch}. Get or build a libtensorflow for it and ` +
        'run `tf-session install --from FILE_OR_DIR`.',
    );
  }
  if (compareVersions(version, FIRST_WHEEL) < 0) throw tooOld(version, variant);
  if (arch === 'arm64') {
    // Up to 2.15 the wheel of this name is empty and wants another project's.
    const isSplit = compareVersions(version, '2.16.0rc0') < 0;
    return { project: isSplit ? 'tensorflow-cpu-aws' : 'tensorflow', machine: 'aarch64' };
  }
  return { project: variant === 'gpu' ? 'tensorflow' : 'tensorflow-cpu', machine: 'x86_64' };
}

function tooOld(version: string, variant: Variant): TensorFlowError {
  const name = `libtensorflow-${variant}-linux-x86_64-${version}.tar.gz`;
  return new TensorFlowError(
    'NOT_FOUND',
    `TensorFlow ${version} can't be fetched with pip: before ${FIRST_WHEEL} the wheels hold no libtensorflow of their ` +
      `own. Those versions come as official C archives: get ${name} from TensorFlow's download page and run ` +
      `\`tf-session install --from ${name}\`. Or take ${FIRST_WHEEL} or later.`,
  );
}

/**
 * Every platform tag whose wheels run here, best first. pip expands none of them when they are given: a wheel for
 * manylinux_2_25 would be passed over for an older one.
 */
export function platformTags(machine: string): string[] {
  const here = Number(/^2\.(\d+)/.exec(glibcVersion() ?? '')?.[1] ?? 0);
  const tags: string[] = [];
  for (let minor = Math.max(here, GLIBC_MINOR); minor >= 5; minor--) tags.push(`manylinux_2_${minor}`);
  tags.push('manylinux2014', 'manylinux2010', 'manylinux1');
  return tags.map((tag) => `${tag}_${machine}`);
}
