/** Rules meet a graph: which op is asked to run where. In slices, so that a graph of any size leaves the event loop its turns. */
import { didYouMean, TensorFlowError } from '../errors.js';
import { deviceType } from './device.js';
import type { GraphIndex } from './graph-index.js';
import { type CompiledRule, type Matcher, nativeDevice } from './rules.js';
import { Slices } from './slices.js';

/** Which node was asked to run where. */
export class Assignment {
  #requested: readonly string[] | undefined;

  /**
   * @param rule By node: the number of the rule that decided, NO_RULE, or RUN_DEVICE.
   * @param devices By rule: its device, as it says it.
   * @param runDevice The run's own.
   */
  constructor(
    readonly rule: Int32Array,
    readonly devices: readonly string[],
    readonly runDevice: string | undefined,
  ) {}

  /** The device that the node was asked onto, as the rule or the run says it; `''` for none. */
  device(node: number): string {
    const rule = this.rule[node]!;
    return rule === NO_RULE ? '' : rule === RUN_DEVICE ? this.runDevice! : this.devices[rule]!;
  }

  /** The same for all: a long list, so for checks and reports that look at every node anyway. */
  get requested(): readonly string[] {
    this.#requested ??= Array.from(this.rule, (_, node) => this.device(node));
    return this.#requested;
  }

  /** The numbers of the rules, NO_RULE and RUN_DEVICE among them, that some node has. */
  get rulesInUse(): ReadonlySet<number> {
    return new Set(this.rule);
  }
}

export const NO_RULE = -1;
/** Not a rule but the run's own device. */
export const RUN_DEVICE = -2;

/** What else decides. */
export interface AssignOptions {
  /** For nodes that neither a rule nor the model speaks of. */
  device?: string | undefined;
  /** The devices saved in the model don't count. */
  clearDevices: boolean;
}

/**
 * The first rule that matches a node decides for it. Nodes that only save, restore or initialise are met by none.
 *
 * @throws TensorFlowError INVALID_ARGUMENT naming each rule that matches no op and is not optional, with near names
 */
export async function assign(
  index: GraphIndex,
  rules: readonly CompiledRule[],
  { device, clearDevices }: AssignOptions,
): Promise<Assignment> {
  const rule = new Int32Array(index.length).fill(NO_RULE);
  const tests = rules.map((compiled) => new RuleTest(compiled, index));
  const slices = new Slices();
  for (let i = 0; i < index.length; i++) {
    if (slices.isOver(i)) await slices.next();
    const isHousekeeping = index.isHousekeeping(i);
    const first = decide(tests, i, isHousekeeping);
    if (isHousekeeping) continue;
    if (first !== NO_RULE) {
      rule[i] = first;
    } else if (device !== undefined && (clearDevices || index.device(i) === '')) {
      rule[i] = RUN_DEVICE;
    }
  }
  const idle = tests.filter((test) => !test.rule.optional && !test.hasMet);
  if (idle.length > 0) throw await unmatched(idle, index);
  return new Assignment(
    rule,
    rules.map((each) => each.device),
    device,
  );
}

/** The first rule that holds. Rules after it are tried until they have met a node, so that a shadowed one is no error. */
function decide(tests: readonly RuleTest[], i: number, isHousekeeping: boolean): number {
  let first = NO_RULE;
  for (const [number, test] of tests.entries()) {
    if (isHousekeeping) {
      if (!test.hasMetHousekeeping) test.hasMetHousekeeping = test.holds(i);
    } else if (first === NO_RULE || !test.hasMet) {
      if (!test.holds(i)) continue;
      test.hasMet = true;
      if (first === NO_RULE) first = number;
    }
  }
  return first;
}

class RuleTest {
  hasMet = false;
  hasMetHousekeeping = false;
  /** Types and functions are few: each is tested once. */
  readonly #known = new Map<Matcher, Map<string, boolean>>();

  constructor(
    readonly rule: CompiledRule,
    readonly index: GraphIndex,
  ) {}

  holds(i: number): boolean {
    return this.rule.matchers.every((matcher) => {
      switch (matcher.key) {
        case 'type':
          return this.#remembered(matcher, this.index.type(i));
        case 'function':
          return this.#remembered(matcher, this.index.function(i));
        default:
          return matcher.test(this.index.name(i));
      }
    });
  }

  #remembered(matcher: Matcher, text: string): boolean {
    let known = this.#known.get(matcher);
    if (known === undefined) {
      known = new Map();
      this.#known.set(matcher, known);
    }
    let holds = known.get(text);
    if (holds === undefined) {
      holds = matcher.test(text);
      known.set(text, holds);
    }
    return holds;
  }
}

async function unmatched(tests: readonly RuleTest[], index: GraphIndex): Promise<TensorFlowError> {
  const lines: string[] = [];
  for (const { rule, hasMetHousekeeping } of tests) {
    const why = hasMetHousekeeping
      ? ' Only ops that save, restore or initialise match it; they keep their devices.'
      : await nearNames(rule, index);
    lines.push(`${rule.label} matches no op.${why}`);
  }
  const way = 'A rule that may match nothing says `optional: true`.';
  return new TensorFlowError('INVALID_ARGUMENT', `${lines.join('\n')}\n${way}`);
}

async function nearNames(rule: CompiledRule, index: GraphIndex): Promise<string> {
  let hints = '';
  for (const { key, text, exact } of rule.matchers) {
    const wanted = exact ?? (/^"[^*?]*"$/.test(text) ? (JSON.parse(text) as string) : undefined);
    if (wanted === undefined) continue;
    const names = new Set<string>();
    const slices = new Slices();
    for (let i = 0; i < index.length; i++) {
      if (slices.isOver(i)) await slices.next();
      if (key === 'type') names.add(index.type(i));
      else if (key === 'function') names.add(index.function(i));
      else if (key === 'op') names.add(index.name(i));
      else names.add(index.name(i).split('/', wanted.split('/').length).join('/'));
    }
    if (!names.has(wanted)) hints += didYouMean(wanted, [...names]);
  }
  return hints;
}

/** What the addon takes: a code a node, 0 for no change, else the number in the table plus 1. */
export function toNative(
  assignment: Assignment,
  index: GraphIndex,
  clearDevices: boolean,
): { codes: Uint32Array; table: string[] } {
  const { rule, devices, runDevice } = assignment;
  const table = [...devices, runDevice ?? '', ''].map(nativeDevice);
  const [ofRun, cleared] = [table.length - 1, table.length];
  const codes = new Uint32Array(rule.length);
  for (let i = 0; i < codes.length; i++) {
    const decided = rule[i]!;
    if (decided !== NO_RULE) codes[i] = decided === RUN_DEVICE ? ofRun : decided + 1;
    else if (clearDevices && isForgotten(index, i)) codes[i] = cleared;
  }
  return { codes, table };
}

/** Restoring and initialising happens on the CPU, where the model says so: that stays. */
function isForgotten(index: GraphIndex, i: number): boolean {
  const saved = index.device(i);
  return saved !== '' && !(index.isHousekeeping(i) && deviceType(saved) === 'CPU');
}
