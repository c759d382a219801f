// A folder of gigabytes that is not left behind.
import { rmSync } from 'node:fs';

/**
 * @template Made
 * @param {string} folder Gone afterwards, also where the user interrupts.
 * @param {() => Promise<Made>} work
 * @returns {Promise<Made>}
 */
export async function withTemporary(folder, work) {
  // What is being written there ends with the signal, too, but not before this process.
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => {
      remove();
      process.kill(process.pid, signal);
    });
  }
  try {
    return await work();
  } finally {
    remove();
  }
}
