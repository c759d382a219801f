/** What an older TensorFlow cannot do, for people. */
import { isOlder } from '../minor-version.js';

/** By the C function whose lack is felt: that of strings is not, since the older layout is written and read as well. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  TF_GetRegisteredKernelsForOp:
    '`exact` cannot tell before a run which ops have a kernel for a device (from 1.12 on)',
  TF_RegisterLogListener: "`tensorflow.on('log', …)` (from 1.14 on)",
  TF_NewServer: 'servers: `tf-session worker`, `startServer` (from 1.13 on)',
  TF_LoadPluggableDeviceLibrary: '`pluggableDevices` (from 2.5 on)',
};

/** Where TensorFlow came to end a graph that runs. */
const INTERRUPTIBLE = '1.15';

/** A clause for each thing that the opened library cannot do, given the functions that it lacks. */
export function lacks(version: string, missing: readonly string[]): string[] {
  const clauses = missing.flatMap((name) => FUNCTIONS[name] ?? []);
  if (isOlder(version, INTERRUPTIBLE)) {
    clauses.push(
      `ending a loop that runs without end: neither \`close({ cancel: true })\` nor the exit of the process does (from ${INTERRUPTIBLE} on)`,
    );
  }
  return clauses;
}
