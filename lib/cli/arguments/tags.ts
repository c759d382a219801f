import { TensorFlowError } from '../../errors.js';
import { formatTags } from '../output/text.js';

/**
 * The MetaGraph that is meant where none is named: `serve`, else the only one.
 *
 * @throws TensorFlowError NOT_FOUND listing them, where there are several
 */
export function defaultTags(metaGraphs: readonly (readonly string[])[]): readonly string[] {
  const serve = metaGraphs.find((tags) => tags.length > 0 && tags.every((tag) => tag === 'serve'));
  const chosen = serve ?? (metaGraphs.length === 1 ? metaGraphs[0] : undefined);
  if (chosen !== undefined) return chosen;
  throw new TensorFlowError(
    'NOT_FOUND',
    `The model has several MetaGraphs and none of them is [serve]. Name one with --tags: ` +
      `${metaGraphs.map(formatTags).join(', ')}.`,
  );
}
