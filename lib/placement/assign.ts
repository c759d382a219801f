/** Rules meet a graph: which op is asked to run where. In slices, so that a graph of any size leaves the event loop its turns. */
import { remembered } from '../remember.js';
import { deviceType, onTask } from './device.js';
import type { GraphIndex } from './graph-index.js';
import { type CompiledRule, type Matcher, nativeDevice, scopeOf } from './rules.js';
import { Slices } from './slices.js';
import { unmatchedRules } from './unmatched.js';

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
  const walk = new Walk(rules, index);
  const slices = new Slices();
  for (let i = 0; i < index.length; i++) {
    if (slices.isOver(walk.isLong ? 0 : i)) await slices.next();
    const first = walk.decide(i);
    if (index.isHousekeeping(i)) continue;
    if (first !== NO_RULE) {
      rule[i] = first;
    } else if (device !== undefined && (clearDevices || index.device(i) === '')) {
      rule[i] = RUN_DEVICE;
    }
  }
  const idle = walk.tests.filter((test) => !test.rule.optional && !test.hasMet);
  if (idle.length > 0) throw await unmatchedRules(idle, index);
  return new Assignment(
    rule,
    rules.map((each) => each.device),
    device,
  );
}

/** A rule, and what it has met. */
class RuleTest {
  hasMet = false;
  hasMetHousekeeping = false;
  readonly #tests: readonly Pick<Matcher, 'key' | 'test'>[];

  constructor(readonly rule: CompiledRule) {
    // Types, functions and scopes are few: each is tested once.
    this.#tests = rule.matchers.map(({ key, test }) => ({
      key,
      test: key === 'op' ? test : remembered(test),
    }));
  }

  holds(node: Node): boolean {
    for (const { key, test } of this.#tests) if (!test(node[key])) return false;
    return true;
  }
}

/** What rules see of one node. */
type Node = Record<Matcher['key'], string>;

/** By what rules are looked up; one scope holds many ops, so not by that. */
const KEYS = ['op', 'type', 'function'] as const;

/**
 * Finds the rules for node after node. A rule that says an exact name, type or function is looked up by that, so that
 * one rule an op takes no longer than one for all.
 */
class Walk {
  readonly tests: readonly RuleTest[];
  /** Numbers of the rules to try at every node. */
  readonly #always: number[] = [];
  readonly #byName = {
    op: new Map<string, number[]>(),
    type: new Map<string, number[]>(),
    function: new Map<string, number[]>(),
  };
  readonly #index: GraphIndex;

  constructor(rules: readonly CompiledRule[], index: GraphIndex) {
    this.#index = index;
    this.tests = rules.map((rule) => new RuleTest(rule));
    for (const [number, { matchers }] of rules.entries()) {
      const key = KEYS.find((each) => matchers.some((m) => m.key === each && m.exact !== undefined));
      if (key === undefined) {
        this.#always.push(number);
        continue;
      }
      const name = matchers.find((m) => m.key === key)!.exact!;
      const numbers = this.#byName[key].get(name) ?? [];
      this.#byName[key].set(name, numbers);
      numbers.push(number);
    }
  }

  /** Rules tried at every node: with many of them the clock must be looked at more often. */
  get isLong(): boolean {
    return this.#always.length > 32;
  }

  /** The first rule that holds. Rules after it are tried until they have met a node, so that a shadowed one is no error. */
  decide(i: number): number {
    if (this.tests.length === 0) return NO_RULE;
    const name = this.#index.name(i);
    const node = {
      op: name,
      type: this.#index.type(i),
      scope: scopeOf(name),
      function: this.#index.function(i),
    };
    const isHousekeeping = this.#index.isHousekeeping(i);
    let first = this.#try(this.#always, node, isHousekeeping, NO_RULE);
    for (const key of KEYS) {
      const numbers = this.#byName[key].get(node[key]);
      if (numbers !== undefined) first = this.#try(numbers, node, isHousekeeping, first);
    }
    return first;
  }

  #try(numbers: readonly number[], node: Node, isHousekeeping: boolean, before: number): number {
    let first = before;
    for (const number of numbers) {
      const test = this.tests[number]!;
      if (isHousekeeping) {
        if (!test.hasMet && !test.hasMetHousekeeping) test.hasMetHousekeeping = test.holds(node);
      } else if (first === NO_RULE || number < first || !test.hasMet) {
        if (!test.holds(node)) continue;
        test.hasMet = true;
        if (first === NO_RULE || number < first) first = number;
      }
    }
    return first;
  }
}

/**
 * What the addon takes: a code a node, 0 for no change, else the number in the table plus 1.
 *
 * @param home The task of a cluster that every device is of that says no task; what has none is asked onto the task.
 */
export function toNative(
  assignment: Assignment,
  index: GraphIndex,
  clearDevices: boolean,
  home?: string,
): { codes: Uint32Array; table: string[] } {
  const { rule, devices, runDevice } = assignment;
  const atHome = (device: string) => onTask(device, home);
  const table = [...devices, runDevice ?? '', ''].map(nativeDevice).map(atHome);
  const [ofRun, cleared] = [table.length - 1, table.length];
  const savedAtHome = remembered((saved: string) => table.push(atHome(saved)));
  const codes = new Uint32Array(rule.length);
  for (let i = 0; i < codes.length; i++) {
    const decided = rule[i]!;
    const saved = index.device(i);
    if (decided !== NO_RULE) codes[i] = decided === RUN_DEVICE ? ofRun : decided + 1;
    else if (clearDevices && isForgotten(saved, index.isHousekeeping(i))) codes[i] = cleared;
    else if (home !== undefined) codes[i] = savedAtHome(saved);
  }
  return { codes, table };
}

/** Whether clearDevices forgets a saved device. Restoring and initialising happens on the CPU, where the model says so: that stays. */
export function isForgotten(saved: string, isHousekeeping: boolean): boolean {
  return saved !== '' && !(isHousekeeping && deviceType(saved) === 'CPU');
}
