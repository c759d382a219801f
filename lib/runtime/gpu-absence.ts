/** Why TensorFlow has no GPU device on this machine: only what can be seen, and what to do about it. */
import { readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { missingCuda } from './cuda-search.js';
import { isFile } from './library-names.js';
import { inspectLibrary, isGpuBuild } from './shared-library.js';

const DRIVER = 'libcuda.so.1';
const NVIDIA = '0x10de';

/** What was seen. */
export interface GpuEvidence {
  /** Whether the library, or one that it needs beside it, is a GPU build. */
  isGpuBuild: boolean;
  /** Whether the ConfigProto asks for no GPU. */
  isOffInConfig: boolean;
  /** The variable CUDA_VISIBLE_DEVICES. */
  visibleDevices: string | undefined;
  /** Whether libcuda.so.1 is in this process, after TensorFlow has looked for devices. */
  isDriverOpen: boolean;
  /** CUDA libraries that would not be found: `libcusolver`. */
  missingCuda: readonly string[];
  /** NVIDIA's device files in /dev, and WSL's. */
  deviceFiles: readonly string[];
  /** Whether the kernel has NVIDIA's module loaded. */
  hasKernelModule: boolean;
  /** NVIDIA's display controllers on the PCI bus; `undefined` where the bus can't be read. */
  pciGpus: number | undefined;
}

/** Looks, once the library is open and TensorFlow has listed its devices. */
export async function gatherGpuEvidence(library: string, isOffInConfig: boolean): Promise<GpuEvidence> {
  const maps = await readFile('/proc/self/maps', 'utf8').catch(() => '');
  const files = await readdir('/dev').catch(() => []);
  return {
    isGpuBuild: await isGpuLibrary(library),
    isOffInConfig,
    visibleDevices: process.env.CUDA_VISIBLE_DEVICES,
    isDriverOpen: /\/libcuda\.so[^/\n]*$/m.test(maps),
    missingCuda: await missingCuda(library),
    deviceFiles: files.filter((name) => /^nvidia\d|^nvidiactl$|^dxg$/.test(name)),
    hasKernelModule: await isFile('/proc/driver/nvidia/version'),
    pciGpus: await countPciGpus(),
  };
}

/** Whether a library is a GPU build; the code may stand in libtensorflow_framework beside it. */
export async function isGpuLibrary(library: string): Promise<boolean> {
  const real = await realpath(library).catch(() => library);
  const inspection = await inspectLibrary(real);
  if (isGpuBuild(inspection)) return true;
  if (inspection.fault !== undefined) return false;
  for (const name of inspection.needed.filter((needed) => needed.startsWith('libtensorflow'))) {
    if (isGpuBuild(await inspectLibrary(join(dirname(real), name)))) return true;
  }
  return false;
}

/** Sentences, the likeliest reason first. */
export function explainNoGpu(evidence: GpuEvidence): string[] {
  const { isDriverOpen, visibleDevices, deviceFiles, pciGpus } = evidence;
  const hasGpu = deviceFiles.length > 0 || (pciGpus ?? 0) > 0;
  if (!evidence.isGpuBuild) {
    const offer = 'This machine has an NVIDIA GPU: `tf-session install --gpu` fetches a build that uses it.';
    return ['This is a CPU build of TensorFlow.', ...(hasGpu ? [offer] : [])];
  }
  if (evidence.isOffInConfig) return ['The ConfigProto asks for none: its deviceCount says GPU 0.'];
  if (!isDriverOpen) return [...noDriver(evidence, hasGpu), ...noCuda(evidence)];
  if (visibleDevices === '' || visibleDevices?.startsWith('-1')) {
    return [`CUDA_VISIBLE_DEVICES is ${JSON.stringify(visibleDevices)}, which hides all GPUs.`];
  }
  if (deviceFiles.length === 0) {
    return [`The driver's ${DRIVER} was opened, but ${noDeviceFiles(evidence)}`, ...noCuda(evidence)];
  }
  const cuda = noCuda(evidence);
  return cuda.length > 0
    ? cuda
    : ["The driver was opened, and CUDA is there: TensorFlow's own lines on stderr say what failed."];
}

function noCuda({ missingCuda: missing }: GpuEvidence): string[] {
  if (missing.length === 0) return [];
  return [
    `CUDA libraries were not found either beside TensorFlow, in LD_LIBRARY_PATH or on the system: ${missing.join(', ')}. ` +
      '`tf-session install --gpu` fetches a build with all of them.',
  ];
}

function noDriver(evidence: GpuEvidence, hasGpu: boolean): string[] {
  const first = `NVIDIA's driver was not found: there is no ${DRIVER} in LD_LIBRARY_PATH or among the system's libraries.`;
  if (evidence.deviceFiles.length > 0) {
    return [
      first,
      `The kernel's side of it is there (/dev/${evidence.deviceFiles[0]}): install the driver's libraries of the same ` +
        'version, or start the container with them (`docker run --gpus all`).',
    ];
  }
  return [
    first,
    hasGpu
      ? `There is an NVIDIA GPU on the PCI bus, and ${noDeviceFiles(evidence)}`
      : `Nor is there an NVIDIA GPU to be seen: ${noDeviceFiles(evidence)}`,
  ];
}

function noDeviceFiles({ hasKernelModule, pciGpus }: GpuEvidence): string {
  const parts = ['there are no device files /dev/nvidia*'];
  if (!hasKernelModule) parts.push("the kernel has not loaded NVIDIA's module");
  if (pciGpus === 0) parts.push('there is no NVIDIA GPU on the PCI bus');
  const last = parts.pop()!;
  const seen = parts.length === 0 ? last : `${parts.join(', ')} and ${last}`;
  return `${seen}. ${(pciGpus ?? 0) > 0 ? "Install NVIDIA's driver, or give the container access to the GPU." : 'TensorFlow runs on the CPU.'}`;
}

async function countPciGpus(): Promise<number | undefined> {
  const bus = '/sys/bus/pci/devices';
  const names = await readdir(bus).catch(() => undefined);
  if (names === undefined) return undefined;
  let count = 0;
  for (const name of names) {
    const field = async (file: string) =>
      (await readFile(join(bus, name, file), 'utf8').catch(() => '')).trim();
    // Class 0x03…: a display controller.
    if ((await field('vendor')) === NVIDIA && (await field('class')).startsWith('0x03')) count++;
  }
  return count;
}
