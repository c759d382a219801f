/** Inputs of a run that nobody gave: zeros would hide what an option does to the outputs. */
import { type DataOf, type DType, dtypeInfo } from '../../dtype.js';
import { Tensor } from '../../tensor.js';

/**
 * The same values at each call: floats from -1 to 1, integers and bools 0 and 1, strings of a few words, all by a fixed seed.
 * Types of bits stay zeros.
 */
export function randomLike(tensor: Tensor): Tensor {
  const { dtype, shape } = tensor;
  const { array, codec, range } = dtypeInfo(dtype);
  let state = 0x9e3779b9;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const words = ['a', 'model', 'of', 'the', 'world', 'runs', 'here'];
  const data = (tensor.data as Float32Array).slice() as unknown as (number | bigint | string)[];
  for (let i = 0; i < data.length; i++) {
    if (dtype === 'string') data[i] = words[Math.floor(next() * words.length)]!;
    else if (array?.name.startsWith('Float')) data[i] = next() * 2 - 1;
    else if (codec === undefined && range !== undefined) {
      data[i] = array?.name.startsWith('Big') ? BigInt(Math.round(next())) : Math.round(next());
    }
  }
  return Tensor.wrap(dtype, shape, data as unknown as DataOf<DType>);
}
