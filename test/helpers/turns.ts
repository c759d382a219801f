import { setImmediate } from 'node:timers/promises';

/** How often the event loop had its turn while `work` went on, and the message it failed with, `''` for none. */
export async function turnsDuring(work: Promise<unknown>): Promise<{ turns: number; message: string }> {
  let isDone = false;
  let message = '';
  const ended = work
    .catch((error: Error) => {
      message = error.message;
    })
    .then(() => {
      isDone = true;
    });
  let turns = 0;
  while (!isDone) {
    await setImmediate();
    turns++;
  }
  await ended;
  return { turns, message };
}
