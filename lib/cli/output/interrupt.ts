/** Ctrl-C as a wish to stop early, with what there is by then; a second one ends the program as always. */

export function onInterrupt(): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort(new Error('It was interrupted.'));
  process.once('SIGINT', abort);
  return { signal: controller.signal, stop: () => process.off('SIGINT', abort) };
}
