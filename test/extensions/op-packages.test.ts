import { describe, expect, it } from 'vitest';
import { sourceOfOp } from '../../lib/extensions/op-packages.js';

describe('sourceOfOp', () => {
  it.each([
    ['WordpieceTokenizeWithOffsets', 'tensorflow-text', '_wordpiece_tokenizer.so'],
    ['TFText>FastSentencepieceTokenize', 'tensorflow-text', '_fast_sentencepiece_tokenizer.so'],
    ['SentencepieceOp', 'tensorflow-text', '_sentencepiece_tokenizer.so'],
    ['SentencepieceEncodeSparse', 'tf_sentencepiece', undefined],
    ['TFText>OfALaterRelease', 'tensorflow-text', undefined],
    ['SimpleMLInferenceOpWithHandle', 'tensorflow-decision-forests', 'inference.so'],
    ['SimpleMLModelTrainer', 'tensorflow-decision-forests', 'training.so'],
    ['IO>PrometheusScrape', 'tensorflow-io', 'libtensorflow_io_golang.so'],
    ['IO>DecodeWebP', 'tensorflow-io', 'libtensorflow_io.so'],
    ['Addons>GatherTree', 'tensorflow-addons', undefined],
    ['GatherTree', 'tensorflow==1.15.5', '_beam_search_ops.so'],
    ['TFRA>CuckooHashTableFind', 'tensorflow-recommenders-addons', '_cuckoo_hashtable_ops.so'],
    ['TfqNoisySamples', 'tensorflow-quantum', '_tfq_noise_ops.so'],
  ])('knows %s', (type, name, file) => {
    const source = sourceOfOp(type);
    expect(source?.package).toBe(name);
    expect(source?.file?.split('/').at(-1)).toBe(file);
  });

  it.each(['MatMul', 'PartitionedCall', 'ParseExampleV2', 'RaggedTensorToTensor', 'Mine', '', '*'])(
    'knows nothing of %s',
    (type) => {
      expect(sourceOfOp(type)).toBeUndefined();
    },
  );
});
