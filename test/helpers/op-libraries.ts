/** Real op libraries: tensorflow-text's, out of its wheel. */
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { tensorflow } from '../../lib/index.js';

const WORDPIECE = 'tensorflow_text/python/ops/_wordpiece_tokenizer.so';
const ROUGE = 'tensorflow_text/python/metrics/_text_similarity_metric_ops.so';

/** The TensorFlow that `2.21.1` of tensorflow-text is for. */
const FITTING = '2.21.';

export interface OpLibraries {
  wordpiece: string;
  /** Has the op RougeL. Not in 2.15.0. */
  rouge: string;
}

/**
 * The files of a release, fetched where they are not in the cache. The test is skipped, and says why, where they cannot be,
 * or where another TensorFlow is open than 2.21.1 is for.
 */
export async function opLibraries(
  context: Pick<TestContext, 'skip'>,
  version = '2.21.1',
): Promise<OpLibraries> {
  await tensorflow.open();
  if (version === '2.21.1' && !tensorflow.version.startsWith(FITTING)) {
    return skipped(context, `tensorflow-text ${version} is not for TensorFlow ${tensorflow.version}`);
  }
  const helper = new URL('../../scripts/models/tensorflow-text.mjs', import.meta.url);
  const { tensorflowText } = (await import(helper.href)) as { tensorflowText(of: string): Promise<string> };
  try {
    const folder = await tensorflowText(version);
    return { wordpiece: join(folder, WORDPIECE), rouge: join(folder, ROUGE) };
  } catch (error) {
    return skipped(context, (error as Error).message);
  }
}

function skipped(context: Pick<TestContext, 'skip'>, why: string): never {
  console.warn(`Skipped: no op libraries. ${why}`);
  return context.skip(why);
}
