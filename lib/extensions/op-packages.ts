/**
 * Which Python package brings an op that TensorFlow itself does not have, and in which of its files.
 *
 * The names are those that the op libraries of these releases register: tensorflow-text 2.15 and 2.21,
 * tensorflow-decision-forests 1.12, tensorflow-io 0.37, tensorflow-addons 0.23, tensorflow-recommenders-addons 0.8,
 * tensorflow-compression 2.14, struct2tensor 0.48, tensorflow-quantum 0.7, dm-reverb 0.14, tf_sentencepiece 0.1.90, and
 * tf.contrib of TensorFlow 1.15.
 */

/** Where an op type comes from. */
export interface OpSource {
  /** As pip names it. */
  package: string;
  /** The op library, by its path in the package; undefined where it is one of several. */
  file: string | undefined;
}

/** tf.contrib came inside of TensorFlow 1. */
export const CONTRIB = 'tensorflow==1.15.5';

/** By package and file: op types, a `*` at the end for all that begin so. A file of `''` is one of several. */
const PACKAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'tensorflow-text': {
    'tensorflow_text/python/metrics/_text_similarity_metric_ops.so': 'RougeL',
    'tensorflow_text/python/ops/_boise_offset_converter.so':
      'TFText>OffsetsToBoiseTags TFText>BoiseTagsToOffsets',
    'tensorflow_text/python/ops/_byte_splitter.so': 'TFText>ByteSplitWithOffsets TFText>ByteSplitByOffsets',
    'tensorflow_text/python/ops/_constrained_sequence_op.so': 'ConstrainedSequence',
    'tensorflow_text/python/ops/_fast_bert_normalizer.so': 'FastBertNormalize',
    'tensorflow_text/python/ops/_fast_sentencepiece_tokenizer.so': 'TFText>FastSentencepiece*',
    'tensorflow_text/python/ops/_fast_wordpiece_tokenizer.so':
      'FastWordpieceTokenizeWithOffsets TFText>FastWordpieceDetokenize',
    'tensorflow_text/python/ops/_mst_ops.so': 'MaxSpanningTree',
    'tensorflow_text/python/ops/_ngrams_op.so': 'TFText>NgramsStringJoin',
    'tensorflow_text/python/ops/_normalize_ops.so':
      'CaseFoldUTF8 NormalizeUTF8 NormalizeUTF8WithOffsetsMap FindSourceOffsets',
    'tensorflow_text/python/ops/_phrase_tokenizer.so': 'PhraseTokenize TFText>PhraseDetokenize',
    'tensorflow_text/python/ops/_regex_split_ops.so': 'RegexSplitWithOffsets',
    'tensorflow_text/python/ops/_sentence_breaking_ops.so': 'SentenceFragments',
    'tensorflow_text/python/ops/_sentencepiece_tokenizer.so':
      'SentencepieceOp SentencepieceTokenizeOp SentencepieceTokenizeWithOffsetsOp SentencepieceDetokenizeOp ' +
      'SentencepieceVocabSizeOp SentencepieceIdToStringOp SentencepieceStringToIdOp',
    'tensorflow_text/python/ops/_split_merge_from_logits_tokenizer.so': 'TokenizerFromLogits',
    'tensorflow_text/python/ops/_split_merge_tokenizer.so': 'SplitMergeTokenizeWithOffsets',
    'tensorflow_text/python/ops/_state_based_sentence_breaker_op.so': 'SentenceFragmentsV2',
    'tensorflow_text/python/ops/_trimmer_ops.so': 'TFText>RoundRobin*',
    'tensorflow_text/python/ops/_unicode_script_tokenizer.so': 'UnicodeScriptTokenizeWithOffsets',
    'tensorflow_text/python/ops/_utf8_binarize_op.so': 'TFText>Utf8Binarize',
    'tensorflow_text/python/ops/_whitespace_tokenizer.so': 'WhitespaceTokenizeWithOffsets',
    'tensorflow_text/python/ops/_whitespace_tokenizer_v2.so': 'TFText>WhitespaceTokenizeWithOffsetsV2',
    'tensorflow_text/python/ops/_wordpiece_tokenizer.so': 'WordpieceTokenizeWithOffsets',
    '': 'TFText>*',
  },
  'tensorflow-decision-forests': {
    'tensorflow_decision_forests/tensorflow/ops/inference/inference.so':
      'SimpleMLLoadModelFromPath* SimpleMLInference* SimpleMLCreateModelResource',
    'tensorflow_decision_forests/tensorflow/ops/training/training.so': 'SimpleML* YggdrasilDecisionForests*',
  },
  'tensorflow-io': {
    'tensorflow_io/python/ops/libtensorflow_io_golang.so': 'IO>Prometheus*',
    'tensorflow_io/python/ops/libtensorflow_io.so':
      'IO>* BigtableClient BigtableDataset BigtableEmptyRowSet BigtableEmptyRowRange BigtablePrefixRowRange ' +
      'BigtableRowRange BigtablePrintRow* BigtableRowSet* BigtableSplitRowSetEvenly BigtableLatestFilter ' +
      'BigtableTimestampRangeFilter BigtablePrintFilter',
  },
  'tensorflow-addons': {
    'tensorflow_addons/custom_ops/text/_skip_gram_ops.so': 'Addons>SkipGramGenerateCandidates',
    'tensorflow_addons/custom_ops/text/_parse_time_op.so': 'Addons>ParseTime',
    '': 'Addons>*',
  },
  'tensorflow-recommenders-addons': {
    'tensorflow_recommenders_addons/dynamic_embedding/core/_cuckoo_hashtable_ops.so': 'TFRA>CuckooHashTable*',
    'tensorflow_recommenders_addons/dynamic_embedding/core/_redis_table_ops.so': 'TFRA>RedisTable*',
    '': 'TFRA>*',
  },
  'tensorflow-compression': {
    'tensorflow_compression/cc/libtensorflow_compression.so':
      'PmfToQuantizedCdf StochasticRound CreateRangeEncoder CreateRangeDecoder EntropyEncode* EntropyDecode* ' +
      'RangeEncode RangeDecode UnboundedIndexRange* RunLengthGamma* RunLengthEncode RunLengthDecode Y4MDataset',
  },
  struct2tensor: {
    'struct2tensor/ops/_decode_proto_map_op.so': 'DecodeProtoMap DecodeProtoMapV2',
    'struct2tensor/ops/_decode_proto_sparse_op.so': 'DecodeProtoSparse*',
    'struct2tensor/ops/_equi_join_any_indices_op.so': 'EquiJoinAnyIndices',
    'struct2tensor/ops/_equi_join_indices_op.so': 'EquiJoinIndices',
    'struct2tensor/ops/_parquet_dataset_op.so': 'ParquetDataset',
    'struct2tensor/ops/_run_length_before_op.so': 'RunLengthBefore',
  },
  'tensorflow-quantum': {
    'tensorflow_quantum/core/ops/_tfq_adj_grad.so': 'TfqAdjointGradient',
    'tensorflow_quantum/core/ops/_tfq_calculate_unitary_op.so': 'TfqCalculateUnitary',
    'tensorflow_quantum/core/ops/_tfq_ps_utils.so': 'TfqPs*',
    'tensorflow_quantum/core/ops/_tfq_utility_ops.so': 'TfqAppendCircuit TfqResolveParameters',
    'tensorflow_quantum/core/ops/math_ops/_tfq_math_ops.so': 'TfqInnerProduct* TfqSimulateMPS1D*',
    'tensorflow_quantum/core/ops/noise/_tfq_noise_ops.so': 'TfqNoisy*',
    'tensorflow_quantum/core/ops/_tfq_simulate_ops.so': 'TfqSimulate*',
  },
  'dm-reverb': { 'reverb/cc/ops/libgen_reverb_ops_gen_op.so': 'Reverb*' },
  tf_sentencepiece: {
    '':
      'SentencepieceDecode SentencepieceEncodeDense SentencepieceEncodeSparse SentencepieceGetPiece* ' +
      'SentencepieceIdToPiece SentencepiecePieceToId',
  },
  [CONTRIB]: {
    'tensorflow_core/contrib/boosted_trees/python/ops/_boosted_trees_ops.so':
      'DecisionTreeEnsembleResourceHandleOp CreateTreeEnsembleVariable GradientTrees* TreeEnsemble*',
    'tensorflow_core/contrib/factorization/python/ops/_factorization_ops.so':
      'MaskedMatmul WALSComputePartialLhsAndRhs',
    'tensorflow_core/contrib/framework/python/ops/_variable_ops.so': 'ZeroInitializer ZeroVarInitializer',
    'tensorflow_core/contrib/fused_conv/python/ops/_fused_conv2d_bias_activation_op.so':
      'FusedConv2DBiasActivation',
    'tensorflow_core/contrib/image/python/ops/_distort_image_ops.so': 'AdjustHsvInYiq',
    'tensorflow_core/contrib/image/python/ops/_image_ops.so':
      'ImageProjectiveTransform ImageConnectedComponents BipartiteMatch',
    'tensorflow_core/contrib/layers/python/ops/_sparse_feature_cross_op.so': 'SparseFeatureCross*',
    'tensorflow_core/contrib/libsvm/python/ops/_libsvm_ops.so': 'DecodeLibsvm',
    'tensorflow_core/contrib/periodic_resample/python/ops/_periodic_resample_op.so': 'PeriodicResample*',
    'tensorflow_core/contrib/reduce_slice_ops/python/ops/_reduce_slice_ops.so': 'ReduceSlice*',
    'tensorflow_core/contrib/resampler/python/ops/_resampler_ops.so': 'Resampler ResamplerGrad',
    'tensorflow_core/contrib/seq2seq/python/ops/_beam_search_ops.so': 'GatherTree',
    'tensorflow_core/contrib/tensor_forest/python/ops/_model_ops.so':
      'DecisionTreeResourceHandleOp CreateTreeVariable TreePredictionsV4 TreeIsInitializedOp TreeDeserialize TreeSerialize',
    'tensorflow_core/contrib/text/python/ops/_skip_gram_ops.so': 'SkipGramGenerateCandidates',
  },
};

/** Undefined for an op type of TensorFlow itself, or one that nobody has listed. */
export function sourceOfOp(type: string): OpSource | undefined {
  for (const [name, files] of Object.entries(PACKAGES)) {
    for (const [file, types] of Object.entries(files)) {
      const isHere = types
        .split(' ')
        .some((each) => (each.endsWith('*') ? type.startsWith(each.slice(0, -1)) : type === each));
      if (isHere) return { package: name, file: file === '' ? undefined : file };
    }
  }
  return undefined;
}
