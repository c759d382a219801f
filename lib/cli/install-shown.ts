import { type Installed, type InstallOptions, install } from '../runtime/install/install.js';
import type { Output } from './output/output.js';
import { progressReporter } from './output/progress.js';

/** Installs, its progress and notes on stderr; Ctrl-C ends it with nothing left behind. */
export async function installShown(options: InstallOptions, output: Output): Promise<Installed> {
  const progress = progressReporter();
  const interrupt = new AbortController();
  const onInterrupt = () =>
    interrupt.abort(new DOMException('Interrupted; nothing is left behind.', 'AbortError'));
  process.once('SIGINT', onInterrupt).once('SIGTERM', onInterrupt);
  try {
    return await install({
      ...options,
      signal: interrupt.signal,
      onProgress: progress.report,
      onNote: (text) => {
        progress.end();
        output.note(`note: ${text}`);
      },
    });
  } catch (error) {
    // What was aborted rejects with a reason of its own.
    throw interrupt.signal.aborted ? interrupt.signal.reason : error;
  } finally {
    progress.end();
    process.off('SIGINT', onInterrupt).off('SIGTERM', onInterrupt);
  }
}
