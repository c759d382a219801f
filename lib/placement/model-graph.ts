/** A whole graph, decoded: for checks and reports, which follow its edges through function calls. */
import { fromBinary } from '@bufbuild/protobuf';
import {
  FunctionDefLibrarySchema,
  FunctionDefSchema,
} from '../proto/tensorflow/core/framework/function_pb.js';
import { GraphDefSchema } from '../proto/tensorflow/core/framework/graph_pb.js';
import { type OpDef, OpDefSchema } from '../proto/tensorflow/core/framework/op_def_pb.js';
import { DataType } from '../proto/tensorflow/core/framework/types_pb.js';
import { payloads, type WireField, wireFields } from '../saved-model/wire.js';
import { typeAttribute } from './attributes.js';
import { argumentInput, calledBy, functionsReturning, isLoop } from './calls.js';
import { damaged, ModelNode } from './model-node.js';
import type { NodeList } from './node-list.js';
import { Slices } from './slices.js';

/** A function of the library. */
export interface ModelFunction {
  readonly name: string;
  readonly signature: OpDef;
  readonly nodes: ReadonlyMap<string, ModelNode>;
  /** What each output argument is, `node:output:index`. */
  readonly ret: Readonly<Record<string, string>>;
}

/** Where a data input comes from: a node's output, or the nth argument of the function around; neither where the edge leads nowhere. */
export interface Source {
  readonly node?: ModelNode;
  readonly arg?: number;
  /** The number of the output. Best effort in function bodies: exact where the outputs have one name, as of calls, and where the op is a function. */
  readonly output: number;
}

const NODE = GraphDefSchema.field.node.number;
const LIBRARY = GraphDefSchema.field.library.number;
const FUNCTION = FunctionDefLibrarySchema.field.function.number;
const SIGNATURE = FunctionDefSchema.field.signature.number;
const RET = FunctionDefSchema.field.ret.number;
const BODY_NODE = FunctionDefSchema.field.nodeDef.number;

/** Ops that hand a resource, or a reference, through. */
const PASSES =
  /^(Identity|IdentityN|Enter|RefEnter|Switch|RefSwitch|Merge|RefMerge|Exit|RefExit|NextIteration|RefNextIteration|RefIdentity|StopGradient)$/;

export type { ModelNode };

export class ModelGraph {
  readonly nodes: readonly ModelNode[];
  readonly main: ReadonlyMap<string, ModelNode>;
  readonly functions: ReadonlyMap<string, ModelFunction>;
  readonly #callers = new Map<string, ModelNode[]>();
  readonly #calls = new Map<ModelNode, string[]>();
  /** Of calls alone, which have hundreds of inputs and are asked for each. */
  readonly #callInputs = new Map<ModelNode, Source[]>();
  readonly #origins = new Map<string, ModelNode[]>();

  private constructor(
    nodes: ModelNode[],
    main: Map<string, ModelNode>,
    functions: Map<string, ModelFunction>,
  ) {
    this.nodes = nodes;
    this.main = main;
    this.functions = functions;
  }

  /**
   * Decodes node by node, and leaves the event loop its turns.
   *
   * @param index The list of the same graph's nodes, where there is one: then only those are decoded that anyone asks for.
   * @throws TensorFlowError DATA_LOSS where the bytes are no GraphDef
   */
  static async decode(graphDef: Uint8Array, index?: NodeList): Promise<ModelGraph> {
    const nodes: ModelNode[] = [];
    const main = new Map<string, ModelNode>();
    const functions = new Map<string, ModelFunction>();
    const libraries: Uint8Array[] = [];
    const slices = new Slices();
    const add = (field: WireField, scope: string, into: Map<string, ModelNode>) => {
      const node = new ModelNode(nodes.length, scope, field, index);
      nodes.push(node);
      into.set(node.name, node);
    };
    try {
      // One node may hold a weight of many megabytes: the clock is looked at for each.
      for (const field of wireFields(graphDef)) {
        if (slices.isOver(0)) await slices.next();
        if (field.number === NODE && field.hasPayload) add(field, '', main);
        else if (field.number === LIBRARY && field.hasPayload) libraries.push(field.payload!);
      }
      for (const bytes of libraries.flatMap((library) => payloads(library, FUNCTION))) {
        const { signature, ret, bodies } = await readFunction(bytes, slices);
        const own = new Map<string, ModelNode>();
        for (const body of bodies) {
          if (slices.isOver(0)) await slices.next();
          add(body, signature.name, own);
        }
        functions.set(signature.name, { name: signature.name, signature, nodes: own, ret });
      }
    } catch (error) {
      throw damaged(error);
    }
    const graph = new ModelGraph(nodes, main, functions);
    for (const node of nodes) {
      if (slices.isOver(node.index)) await slices.next();
      if (index === undefined || index.calls(node.index)) graph.#addCalls(node);
    }
    return graph;
  }

  #addCalls(node: ModelNode): void {
    const called = calledBy(node, this.functions);
    if (called.length > 0) this.#calls.set(node, called);
    for (const name of called) {
      const callers = this.#callers.get(name);
      if (callers === undefined) this.#callers.set(name, [node]);
      else callers.push(node);
    }
  }

  /** The node of that name in a function's body, or in the main graph. */
  find(name: string, scope: string): ModelNode | undefined {
    return scope === '' ? this.main.get(name) : this.functions.get(scope)?.nodes.get(name);
  }

  /** Where its data inputs come from: as many as there are, in their order. */
  inputs(node: ModelNode): Source[] {
    const known = this.#callInputs.get(node);
    if (known !== undefined) return known;
    const sources = node.def.input
      .filter((input) => !input.startsWith('^'))
      .map((input) => this.#source(input, node.function));
    if (this.#calls.has(node)) this.#callInputs.set(node, sources);
    return sources;
  }

  /** The nodes that it waits for. */
  controlInputs(node: ModelNode): ModelNode[] {
    return node.def.input
      .filter((input) => input.startsWith('^'))
      .flatMap((input) => this.find(input.slice(1), node.function) ?? []);
  }

  /** Functions that it calls. */
  calls(node: ModelNode): readonly string[] {
    return this.#calls.get(node) ?? [];
  }

  /** Nodes that call the function. */
  callers(name: string): readonly ModelNode[] {
    return this.#callers.get(name) ?? [];
  }

  /** Where the output arguments of a function come from. */
  results(name: string): Source[] {
    const called = this.functions.get(name);
    if (called === undefined) return [];
    return called.signature.outputArg.map((arg) => this.#source(called.ret[arg.name] ?? '', name));
  }

  /** Whether the node hands a resource, or a reference, on: by itself, or from the functions that it calls. */
  handsOn(node: ModelNode): boolean {
    if (PASSES.test(node.type)) return node.type.startsWith('Ref') || mayBeResource(node);
    return functionsReturning(node, this.calls(node)).length > 0;
  }

  /** The ops, `VarHandleOp` and the like, that the resource or reference in an input may be, through calls and whatever hands it on. */
  resourceOrigins(node: ModelNode, input: number): readonly ModelNode[] {
    const source = this.inputs(node)[input];
    if (source === undefined) return [];
    return this.#origins.get(keyOf(source, node.function)) ?? this.#trace(source, node.function);
  }

  #trace(from: Source, within: string): readonly ModelNode[] {
    const found = new Set<ModelNode>();
    const seen = new Set<string>();
    let isChain = true;
    const open: [Source | undefined, string][] = [[from, within]];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [source, scope] = next;
      if (source === undefined) continue;
      const key = keyOf(source, scope);
      if (seen.has(key)) continue;
      seen.add(key);
      const known = this.#origins.get(key);
      if (known !== undefined) {
        for (const origin of known) found.add(origin);
        continue;
      }
      const before = source.arg === undefined ? this.#before(source) : this.#given(source.arg, scope);
      if (before === undefined) found.add(source.node!);
      else open.push(...before);
      isChain &&= before === undefined || before.length <= 1;
    }
    const origins = [...found].sort((a, b) => a.index - b.index);
    // All that stands in one line has the same origins; elsewhere only the end of it is known.
    for (const key of isChain ? seen : [keyOf(from, within)]) this.#origins.set(key, origins);
    return origins;
  }

  /** What a caller gives a function for an argument. */
  given(caller: ModelNode, name: string, arg: number): Source | undefined {
    const args = this.functions.get(name)!.signature.inputArg.length;
    const inputs = this.inputs(caller);
    return inputs[argumentInput(caller, arg, args, inputs.length)];
  }

  #given(arg: number, scope: string): [Source | undefined, string][] {
    return this.callers(scope).map((caller) => [this.given(caller, scope, arg), caller.function]);
  }

  /** Where an output was handed on from; undefined for a node that makes its outputs. */
  #before({ node, output }: Source): [Source | undefined, string][] | undefined {
    if (node === undefined) return [];
    const { type } = node;
    if (PASSES.test(type)) {
      const sources = this.inputs(node);
      if (/Merge$/.test(type)) return sources.map((each) => [each, node.function]);
      return [[sources[type === 'IdentityN' ? output : 0], node.function]];
    }
    const called = functionsReturning(node, this.calls(node));
    if (called.length === 0) return undefined;
    const before = called.map((name): [Source | undefined, string] => [this.results(name)[output], name]);
    // A loop that runs no round gives what it was given.
    if (isLoop(node)) before.push([this.inputs(node)[output], node.function]);
    return before;
  }

  /** `op`, `op:1`; in bodies `argument`, `op:name_of_output:0`. */
  #source(input: string, scope: string): Source {
    const [name, ...rest] = input.split(':');
    const around = this.functions.get(scope);
    const node = this.find(name!, scope);
    if (node === undefined) {
      const arg = around?.signature.inputArg.findIndex((each) => each.name === name) ?? -1;
      return arg === -1 ? { output: 0 } : { arg, output: 0 };
    }
    const number = Number(rest.at(-1) ?? 0);
    const outputs = this.functions.get(node.type)?.signature.outputArg;
    const named = rest.length === 2 ? (outputs?.findIndex((each) => each.name === rest[0]) ?? -1) : -1;
    if (named !== -1) return { node, output: named };
    return { node, output: Number.isInteger(number) ? number : 0 };
  }
}

/** Whether what an `Identity` and the like hands on is a resource, as far as its data type says. */
function mayBeResource({ def }: ModelNode): boolean {
  const type = typeAttribute(def, 'T');
  return type === undefined || type === DataType.DT_RESOURCE;
}

function keyOf({ node, arg, output }: Source, scope: string): string {
  return node === undefined ? `arg ${arg} ${scope}` : `${node.index} ${output}`;
}

async function readFunction(
  bytes: Uint8Array,
  slices: Slices,
): Promise<{ signature: OpDef; ret: Record<string, string>; bodies: WireField[] }> {
  const bodies: WireField[] = [];
  const rets: Uint8Array[] = [];
  let signature = new Uint8Array();
  let step = 0;
  for (const field of wireFields(bytes)) {
    if (slices.isOver(step++)) await slices.next();
    if (field.number === BODY_NODE && field.hasPayload) bodies.push(field);
    else if (field.number === SIGNATURE && field.hasPayload)
      signature = field.payload as Uint8Array<ArrayBuffer>;
    else if (field.number === RET) rets.push(field.whole);
  }
  const { ret } = fromBinary(FunctionDefSchema, Buffer.concat(rets));
  return { signature: fromBinary(OpDefSchema, signature), ret, bodies };
}
