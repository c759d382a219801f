/**
 * Numbers that JavaScript has no type for: 16-, 8- and 4-bit floats, as bits and as values.
 *
 * All are little floats of sign, exponent and mantissa; they differ in their bias and in which patterns mean
 * infinity and NaN. Sources: IEEE 754, the OCP 8-bit and microscaling (MX) formats, and ml_dtypes, which TensorFlow uses.
 */
import { once } from './remember.js';

/** Bits to number and back; `encode` rounds to the nearest value, ties to even. */
export interface Codec {
  decode(bits: number): number;
  encode(value: number): number;
}

interface Format {
  exponent: number;
  mantissa: number;
  /**
   * `ieee`: the top exponent is infinity and NaN. `fn`: no infinity, all ones is NaN. `fnuz`: no infinity, no
   * negative zero, whose pattern is the NaN. `none`: every pattern is a number, encoding saturates.
   */
  specials: 'ieee' | 'fn' | 'fnuz' | 'none';
  /** Defaults to 2^(exponent-1)-1, one more for `fnuz`. */
  bias?: number;
}

/** A codec by table, which is made when it is first used. */
export function smallFloat(format: Format): Codec {
  const codec = once(() => tableCodec(format));
  return { decode: (bits) => codec().decode(bits), encode: (value) => codec().encode(value) };
}

/** At most 256 patterns are decoded once, and a value finds its neighbours by bisection. */
function tableCodec(format: Format): Codec {
  const bits = 1 + format.exponent + format.mantissa;
  const half = 2 ** (bits - 1);
  const nan = format.specials === 'fnuz' ? half : half - 1;
  const table = Float64Array.from({ length: 2 * half }, (_, pattern) => decodePattern(pattern, format));
  const positive = Array.from(table.subarray(0, half)).filter((v) => Number.isFinite(v));
  const largest = positive.length - 1;
  const step = positive[largest]! - positive[largest - 1]!;

  const encodeMagnitude = (value: number): number => {
    if (value > positive[largest]!) {
      // Halfway to the value that would come next still rounds down when the last mantissa is even.
      const limit = positive[largest]! + step / 2;
      const fits = value < limit || (value === limit && largest % 2 === 0) || format.specials === 'none';
      if (fits) return largest;
      return format.specials === 'ieee' ? largest + 1 : nan;
    }
    let low = 0;
    let high = largest;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (positive[middle]! <= value) low = middle;
      else high = middle;
    }
    const below = value - positive[low]!;
    const above = positive[high]! - value;
    if (below !== above) return below < above ? low : high;
    return low % 2 === 0 ? low : high;
  };

  return {
    decode: (pattern) => table[pattern & (2 * half - 1)]!,
    encode: (value) => {
      if (Number.isNaN(value)) return format.specials === 'none' ? half : nan;
      const negative = value < 0 || Object.is(value, -0);
      const magnitude = encodeMagnitude(Math.abs(value));
      if (!negative || (format.specials === 'fnuz' && (magnitude === 0 || magnitude === nan)))
        return magnitude;
      return magnitude | half;
    },
  };
}

function decodePattern(pattern: number, format: Format): number {
  const { exponent: exponentBits, mantissa: mantissaBits, specials } = format;
  const signBit = 2 ** (exponentBits + mantissaBits);
  const magnitude = pattern % signBit;
  const negative = pattern >= signBit;
  const exponent = magnitude >> mantissaBits;
  const mantissa = magnitude % 2 ** mantissaBits;
  const topExponent = 2 ** exponentBits - 1;
  if (specials === 'fnuz' && pattern === signBit) return Number.NaN;
  if (specials === 'fn' && magnitude === signBit - 1) return Number.NaN;
  if (specials === 'ieee' && exponent === topExponent) {
    return mantissa !== 0 ? Number.NaN : negative ? -Infinity : Infinity;
  }
  const bias = format.bias ?? 2 ** (exponentBits - 1) - (specials === 'fnuz' ? 0 : 1);
  const fraction = mantissa / 2 ** mantissaBits;
  const value = exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
  return negative ? -value : value;
}

/** FP4 of the microscaling formats: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives. */
export const float4E2M1: Codec = smallFloat({ exponent: 2, mantissa: 1, specials: 'none' });

const scratchFloat = new Float32Array(1);
const scratchBits = new Uint32Array(scratchFloat.buffer);

/** The upper half of a float32. */
export const bfloat16: Codec = {
  decode(bits) {
    scratchBits[0] = bits << 16;
    return scratchFloat[0]!;
  },
  encode(value) {
    scratchFloat[0] = value;
    const bits = scratchBits[0]!;
    if (Number.isNaN(value)) return ((bits >>> 16) | 0x40) & 0xffff;
    // A float64 is rounded to float32 first, as TensorFlow's own casts do.
    return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  },
};

/** IEEE binary16. */
export const float16: Codec = {
  decode(bits) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const mantissa = bits & 0x3ff;
    if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Infinity;
    if (exponent === 0) return sign * mantissa * 2 ** -24;
    return sign * (1024 + mantissa) * 2 ** (exponent - 25);
  },
  encode(value) {
    if (Number.isNaN(value)) return 0x7e00;
    const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
    const magnitude = Math.abs(value);
    if (magnitude >= 65520) return sign | 0x7c00;
    // Counted in units of the last place of its binade; a rounding up may carry into the exponent, which is right.
    const exponent = Math.max(Math.floor(Math.log2(magnitude || 1e-45)), -14);
    const unit = 2 ** (Math.max(exponent, -14) - 10);
    const steps = roundHalfEven(magnitude / unit);
    if (magnitude < 2 ** -14) return sign | steps;
    return sign | (((exponent + 15) << 10) + (steps - 1024));
  },
};

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
