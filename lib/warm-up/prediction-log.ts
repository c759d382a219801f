/** TensorFlow Serving's PredictionLog: a request as it came to a server, here to be run once more. */
import { payloads } from '../saved-model/wire.js';
import { Tensor } from '../tensor.js';
import { tensorOf } from './tensor-proto.js';

/** What a request asks to be run. */
export type Request =
  | {
      readonly kind: 'signature';
      /** Undefined: the default one. */
      readonly signature: string | undefined;
      readonly inputs: Readonly<Record<string, Tensor>>;
      /** Undefined: all. */
      readonly outputs: readonly string[] | undefined;
    }
  | {
      readonly kind: 'session';
      readonly feeds: Readonly<Record<string, Tensor>>;
      readonly fetches: readonly string[];
      readonly targets: readonly string[];
    };

/** What a record holds: its kind by the name of the field, and the requests to be run; undefined where the kind is not known. */
export interface Logged {
  readonly kind: string;
  readonly requests: readonly Request[] | undefined;
}

/** Fields of tensorflow.serving.PredictionLog, each a message whose first field is the request. */
const KINDS = new Map<number, [kind: string, read: ((request: Uint8Array) => Request[]) | undefined]>([
  [2, ['classify_log', readExamples]],
  [3, ['regress_log', readExamples]],
  [4, ['multi_inference_log', readTasks]],
  [5, ['session_run_log', readSessionRun]],
  [6, ['predict_log', readPredict]],
  [7, ['predict_streamed_log', undefined]],
]);

/** The one input of a signature that takes examples. */
const EXAMPLES = 'inputs';

/** Throws Error or RangeError for bytes that are no PredictionLog; what `tensorOf` throws. */
export function readPredictionLog(record: Uint8Array): Logged {
  for (const [number, [kind, read]] of KINDS) {
    const logs = payloads(record, number);
    if (logs.length > 0) return { kind, requests: read?.(messageIn(Buffer.concat(logs), 1)) };
  }
  return { kind: 'none', requests: undefined };
}

/** PredictRequest: model_spec, inputs by name, output_filter. */
function readPredict(request: Uint8Array): Request[] {
  const inputs = Object.fromEntries(payloads(request, 2).map(named));
  const outputs = texts(request, 3);
  return [
    {
      kind: 'signature',
      signature: signatureIn(request),
      inputs,
      outputs: outputs.length > 0 ? outputs : undefined,
    },
  ];
}

/** ClassificationRequest and RegressionRequest: model_spec, input. */
function readExamples(request: Uint8Array): Request[] {
  const inputs = { [EXAMPLES]: examplesIn(messageIn(request, 2)) };
  return [{ kind: 'signature', signature: signatureIn(request), inputs, outputs: undefined }];
}

/** MultiInferenceRequest: tasks, each with a model_spec, and one input for all. */
function readTasks(request: Uint8Array): Request[] {
  const inputs = { [EXAMPLES]: examplesIn(messageIn(request, 2)) };
  return payloads(request, 1).map((task) => ({
    kind: 'signature',
    signature: signatureIn(task),
    inputs,
    outputs: undefined,
  }));
}

/** SessionRunRequest: feed, fetch, target. */
function readSessionRun(request: Uint8Array): Request[] {
  const feeds = Object.fromEntries(payloads(request, 2).map(named));
  return [{ kind: 'session', feeds, fetches: texts(request, 3), targets: texts(request, 4) }];
}

/** Input: a list of serialized examples, or one with a context that goes before each: messages that are joined are merged. */
function examplesIn(input: Uint8Array): Tensor {
  const lists = [...payloads(input, 1), ...payloads(input, 2)];
  const examples = lists.flatMap((list) => {
    const context = messageIn(list, 2);
    return payloads(list, 1).map((example) => new Uint8Array(Buffer.concat([context, example])));
  });
  return Tensor.wrap('string', [examples.length], examples);
}

/** A name and a tensor: an entry of a map, or a NamedTensorProto. */
function named(entry: Uint8Array): [name: string, tensor: Tensor] {
  return [texts(entry, 1).at(-1) ?? '', tensorOf(messageIn(entry, 2))];
}

/** The signature_name in the model_spec. */
function signatureIn(request: Uint8Array): string | undefined {
  return texts(messageIn(request, 1), 3).at(-1) || undefined;
}

/** A message that comes in several parts is their concatenation; one that is left out is empty. */
function messageIn(bytes: Uint8Array, number: number): Uint8Array {
  const parts = payloads(bytes, number);
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

function texts(bytes: Uint8Array, number: number): string[] {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  return payloads(bytes, number).map((text) => utf8.decode(text));
}
