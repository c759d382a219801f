// Imported before a program: loads the plug-in of STAND_IN into TensorFlow, where the program makes sessions.
import { isMainThread } from 'node:worker_threads';

const [, program = '', command] = process.argv;
if (isMainThread && (program.endsWith('gpu/rig/child.mjs') || command === 'info')) {
  const { openExtended } = await import('../../../dist/extensions/extensions.js');
  await openExtended([{ option: 'pluggableDevices', path: process.env.STAND_IN }], undefined);
}
