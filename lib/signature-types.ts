/**
 * Signatures as types, as `tf-session types` writes them: with them `SavedModel.load<Signatures>(dir)` knows names, data types and
 * ranks of inputs and outputs when a program is compiled.
 */
import type { DataOf, DType } from './dtype.js';
import type { TensorLike } from './inputs.js';
import type { RankOf } from './shape-types.js';
import type { Tensor } from './tensor.js';
import type { Nested, Scalar } from './tensor-encode.js';

/**
 * One input or output: its data type, and its shape as a tuple, `number` for a dimension of any size. `number[]` is a shape
 * of any rank.
 */
export interface TensorSpec<D extends DType = DType, S extends readonly number[] = readonly number[]> {
  readonly dtype: D;
  readonly shape: S;
}

/** A signature. */
export interface SignatureSpec {
  readonly inputs: { readonly [name: string]: TensorSpec };
  readonly outputs: { readonly [name: string]: TensorSpec };
}

/** Signatures of a model of which nothing is known. */
export type AnySignatures = { readonly [name: string]: SignatureSpec };

/** What every set of signatures is, a type or an interface. */
export type SignatureSpecs<S> = { readonly [K in keyof S]: SignatureSpec };

/** The signature that is meant where none is named: `serving_default`, else the only one. */
export type DefaultSignature<S> = string extends keyof S
  ? keyof S
  : 'serving_default' extends keyof S
    ? 'serving_default'
    : keyof S;

/** The arguments of a run without any: only where no input is wanted. */
export type NoInputs<S extends SignatureSpecs<S>> = Record<never, never> extends InputsOf<S> ? [] : [never];

/** Values by input name. */
export type InputsOf<
  S extends SignatureSpecs<S>,
  K extends keyof S = DefaultSignature<S>,
> = string extends keyof S
  ? Readonly<Record<string, TensorLike>>
  : { readonly [N in keyof S[K]['inputs']]: InputOf<S[K]['inputs'][N]> };

/** Tensors by output name. */
export type OutputsOf<
  S extends SignatureSpecs<S>,
  K extends keyof S = DefaultSignature<S>,
  O extends PropertyKey = keyof S[K]['outputs'],
> = string extends keyof S
  ? Record<string, Tensor>
  : { [N in keyof S[K]['outputs'] & O]: OutputOf<S[K]['outputs'][N]> };

/** Names of a signature's outputs. */
export type OutputNames<S extends SignatureSpecs<S>, K extends keyof S> = keyof S[K]['outputs'] & string;

type OutputOf<T> = T extends TensorSpec<infer D, infer S> ? Tensor<D, RankOf<S>> : never;

/** A tensor, nested arrays of the rank, or a flat typed array of the type. */
type InputOf<T> =
  T extends TensorSpec<infer D, infer S>
    ? Tensor<D, RankOf<S>> | NestedOf<D, S> | (DataOf<D> extends readonly unknown[] ? never : DataOf<D>)
    : never;

/** Values in as many arrays, one in the other, as there are dimensions. */
type NestedOf<D extends DType, S extends readonly number[]> = D extends 'complex64' | 'complex128'
  ? Nested
  : number extends S['length']
    ? Nested
    : InArrays<ElementOf<D>, S>;

type InArrays<E, S extends readonly number[]> = S extends readonly [
  number,
  ...infer Rest extends readonly number[],
]
  ? readonly InArrays<E, Rest>[]
  : E;

type ElementOf<D extends DType> = D extends 'string'
  ? string | Uint8Array
  : D extends 'bool'
    ? boolean | number
    : D extends 'int64' | 'uint64'
      ? bigint | number
      : D extends 'resource' | 'variant'
        ? never
        : Exclude<Scalar, string | boolean | bigint | Uint8Array>;
