/** What a model may be and do: options, and the checks of them. A SavedModel is a program; these are its bounds. */
import { checkOneOf, invalidOption, readOptions, readStrings } from '../options.js';
import { compileGlob } from '../placement/glob.js';
import { show } from '../show.js';

/** How large a model may be. TensorFlow itself knows no bounds: beyond some of them it ends the process. */
export interface ModelLimits {
  /** Bytes of saved_model.pb. Default: 2 GiB, protobuf's own limit. */
  modelBytes?: number | undefined;
  /** Nodes, those of functions included. Default: 10,000,000. */
  nodes?: number | undefined;
  /** Functions that call each other, one inside of the other. Default: 200. */
  functionDepth?: number | undefined;
  /** Nodes once every call has its own copy of what it calls, as TensorFlow's optimizer makes them. Default: 10,000,000. */
  inlinedNodes?: number | undefined;
}

/** Options of `SavedModel.load` and `Session.fromGraphDef`. */
export interface GuardOptions {
  /**
   * Op types, or globs over them, that a model may use although they reach files, the network or the process itself; a model
   * that has another op of that kind is then refused. Default: `PyFunc`, its like, `Abort` and `DatasetFromGraph` are refused,
   * of others a process warning (`TF_SESSION_MODEL_OPS`) tells. `[]` refuses all of them, `['*']` none, without a word. What counts are ops that
   * signatures reach, or loading does; a checkpoint and assets of the model's own are always read.
   */
  allowOps?: readonly string[] | undefined;
  /** How large a model may be. */
  limits?: ModelLimits | undefined;
}

export const GUARD_KEYS = ['allowOps', 'limits'] as const;

/** The same, checked, with the defaults filled in. */
export interface GuardPlan {
  /** Undefined where the default holds. */
  isAllowed: ((type: string) => boolean) | undefined;
  limits: Readonly<Record<keyof ModelLimits, number>>;
  /** Whether files of the model may be links that lead out of its folder. */
  followLinks: boolean;
}

const DEFAULTS: GuardPlan['limits'] = {
  modelBytes: 2 ** 31,
  nodes: 10_000_000,
  functionDepth: 200,
  inlinedNodes: 10_000_000,
};

/** Throws INVALID_OPTION naming the key. */
export function checkGuard(options: GuardOptions & { followLinks?: boolean | undefined }): GuardPlan {
  const { allowOps, limits: given = {}, followLinks } = options;
  const allowed = allowOps === undefined ? undefined : readStrings(allowOps, 'allowOps');
  const limits = readOptions<ModelLimits>(given, Object.keys(DEFAULTS), 'limits');
  checkOneOf(followLinks, [true, false], 'followLinks');
  const filled = { ...DEFAULTS };
  for (const key of Object.keys(DEFAULTS) as (keyof ModelLimits)[]) {
    const value = limits[key];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value >= 1)) {
      throw invalidOption(`limits.${key} must be a number of 1 or more, not ${show(value)}.`);
    }
    filled[key] = value;
  }
  const globs = allowed?.map(compileGlob);
  return {
    isAllowed: globs && ((type) => globs.some((matches) => matches(type))),
    limits: filled,
    followLinks: followLinks === true,
  };
}
