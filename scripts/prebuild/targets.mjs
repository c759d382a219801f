// What the addon is built for ahead of time.

/**
 * By the name of the folder in prebuilds/. `zig`: as Zig calls it, with the glibc that Node itself needs at least
 * (TensorFlow's wheels need 2.27). `system` and `processor`: as CMake calls them.
 *
 * @type {Readonly<Record<string, { zig: string, system: string, processor: string }>>}
 */
export const TARGETS = {
  'linux-x64': { zig: 'x86_64-linux-gnu.2.28', system: 'Linux', processor: 'x86_64' },
  'linux-arm64': { zig: 'aarch64-linux-gnu.2.28', system: 'Linux', processor: 'aarch64' },
};

/** The name of the addon's file for a target, as lib/runtime/addon.ts looks for it. */
export const addonName = (target) => `tf-session${target.startsWith('linux-') ? '.glibc' : ''}.node`;
