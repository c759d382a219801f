import { describe, expect, it } from 'vitest';
import { explainNoGpu, type GpuEvidence, gatherGpuEvidence } from '../../lib/runtime/gpu-absence.js';
import { smallLibrary } from './archives.js';

/** A GPU build where all is well, so that one thing at a time can be amiss. */
const WELL: GpuEvidence = {
  isGpuBuild: true,
  isOffInConfig: false,
  visibleDevices: undefined,
  isDriverOpen: true,
  missingCuda: [],
  deviceFiles: ['nvidia0', 'nvidiactl'],
  hasKernelModule: true,
  pciGpus: 1,
};
const why = (evidence: Partial<GpuEvidence>) => explainNoGpu({ ...WELL, ...evidence }).join('\n');
const NO_HARDWARE = { isDriverOpen: false, deviceFiles: [], hasKernelModule: false, pciGpus: 0 };

describe('why there is no GPU', () => {
  it('a CPU build, and what to do where there is a GPU', () => {
    expect(why({ ...NO_HARDWARE, isGpuBuild: false })).toBe('This is a CPU build of TensorFlow.');
    expect(why({ isGpuBuild: false })).toMatch(
      /CPU build.*\n.*has an NVIDIA GPU: `tf-session install --gpu`/,
    );
  });

  it('the ConfigProto, or the environment, hides them', () => {
    expect(why({ isOffInConfig: true })).toMatch(/^The ConfigProto .*GPU 0\.$/);
    expect(why({ visibleDevices: '-1' })).toBe('CUDA_VISIBLE_DEVICES is "-1", which hides all GPUs.');
    expect(why({ visibleDevices: '' })).toMatch('CUDA_VISIBLE_DEVICES is ""');
    expect(why({ visibleDevices: '0' })).not.toMatch('CUDA_VISIBLE_DEVICES');
  });

  it('no driver, and how far the machine is from having one', () => {
    expect(why(NO_HARDWARE)).toMatch(
      /no libcuda\.so\.1.*\nNor is there an NVIDIA GPU .*PCI bus\. TensorFlow runs/,
    );
    expect(why({ ...NO_HARDWARE, pciGpus: 2 })).toMatch(
      /There is an NVIDIA GPU on the PCI bus, .*Install NVIDIA's/,
    );
    expect(why({ isDriverOpen: false })).toMatch(
      /\/dev\/nvidia0\): install the driver's libraries .*--gpus all/,
    );
    expect(why({ ...NO_HARDWARE, pciGpus: undefined })).not.toMatch('PCI bus and');
  });

  it('a driver with no device', () => {
    expect(why({ deviceFiles: [], hasKernelModule: false })).toMatch(
      /libcuda\.so\.1 was opened, but there are no device files .*access to the GPU/,
    );
  });

  it('CUDA libraries that are missing, by name', () => {
    const missingCuda = ['libcusolver', 'libcudnn'];
    expect(why({ missingCuda })).toMatch(/libcusolver, libcudnn\. `tf-session install --gpu`/);
    expect(why({ ...NO_HARDWARE, missingCuda })).toMatch(/no libcuda\.so\.1.*libcusolver, libcudnn/s);
  });

  it("what only TensorFlow's own lines tell", () => {
    expect(why({})).toMatch(/TensorFlow's own lines/);
  });

  it('is looked for on this machine', async () => {
    const evidence = await gatherGpuEvidence(smallLibrary(), false);
    expect(evidence).toMatchObject({ isGpuBuild: false, isOffInConfig: false });
    expect(explainNoGpu(evidence)[0]).toBe('This is a CPU build of TensorFlow.');
  });
});
