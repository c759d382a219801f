// Under AddressSanitizer: frozen models, prepared calls in each thread, several sessions of a model, batchers.
import { SavedModel } from 'tf-session';
import { calls, fixture, fixtures } from './asan-fixtures.mjs';

/** Frozen, with copies, in the calling thread and in the pool, one by one and many at once. */
export async function everyFixtureFast() {
  for (const { name, config, opLibraries } of fixtures()) {
    const options = { config, opLibraries, freeze: true, copies: 2, concurrency: 1 };
    const model = await SavedModel.load(fixture(name), options);
    const ended = await Promise.allSettled(
      calls(model, 1).flatMap(({ signature, fill }) =>
        ['caller', 'pool', 'auto'].flatMap((executor) => {
          const call = model.prepare({
            signature,
            executor,
            ...(executor === 'pool' && { strings: 'bytes' }),
          });
          return [
            ...Array.from({ length: 8 }, async () => call.run(fill())),
            // It holds the thread, and a run that never ends would for ever.
            ...(name === 'endless' ? [] : [(async () => call.runSync(fill()))()]),
            (async () => call.run(fill(), { timeout: 1 }))(),
          ];
        }),
      ),
    );
    const batched = await Promise.allSettled(
      calls(model, 1).flatMap(({ signature, fill }) => {
        try {
          const batcher = model.batcher({ signature, maxBatchSize: 4, batchTimeoutMicros: 1000 });
          return Array.from({ length: 6 }, async () => batcher.run(fill()));
        } catch {
          return []; // what it takes has no batch in front
        }
      }),
    );
    await model.close();
    globalThis.gc();
    const failed = ended.filter(({ status }) => status === 'rejected').length;
    console.log(`${name}, fast: ${ended.length} runs, ${failed} with errors; ${batched.length} in batches`);
  }
}
