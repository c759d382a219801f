/** The fixture `chain` with devices written to its nodes: three layers of MatMul, BiasAdd and Relu in a function's body. */
import {
  type RawNode,
  type RawOptions,
  rawModel,
  restoredSession,
  served,
  type Trace,
  trace,
} from './raw-session.js';

export const ROW = { x: [Array.from({ length: 16 }, (_, i) => i / 8 - 1)] };
export const GPU = '/device:GPU:0';

/** Devices by node name, of the main graph and of the chain's own function. */
export function put(devices: Record<string, string>) {
  return ({ def, function: body }: RawNode) =>
    body === '' || body.startsWith('__inference___call__') ? devices[def.name] : undefined;
}

/** Devices by op type in the chain's own function. */
export function putTypes(devices: Record<string, string>) {
  return ({ def, function: body }: RawNode) =>
    body.startsWith('__inference___call__') ? devices[def.op] : undefined;
}

/** A traced run of it. */
export async function chain(options: RawOptions): Promise<Trace> {
  const model = await rawModel('chain');
  return trace(await restoredSession(model, options), ...served(model, ROW));
}
