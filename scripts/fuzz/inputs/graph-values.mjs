// Values of attributes, shapes and tensors that a graph may hold and hardly ever should.
import { pick } from '../random.mjs';

const SIZES = [
  -1n,
  -2n,
  -5n,
  0n,
  1n,
  2n,
  3n,
  7n,
  254n,
  65536n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 40n,
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];
/** DataType: those there are, references to them, and some that are not. */
const TYPES = [
  ...Array.from({ length: 34 }, (_, i) => i),
  101,
  102,
  107,
  109,
  120,
  121,
  99,
  1000,
  -1,
  2 ** 31 - 1,
];
const TEXTS = [
  '',
  ' ',
  'a',
  'VALID',
  'NHWC',
  '/device:CPU:1',
  'loc:@x',
  '\0',
  'x'.repeat(5000),
  'grün',
  '../../etc/passwd',
];
const FLOATS = [0, -0, 1, -1, NaN, Infinity, -Infinity, 1e-45, 3e38];

const utf8 = new TextEncoder();

export const someType = (random) => pick(TYPES, random);
export const someSize = (random) => pick(SIZES, random);
export const someText = (random) => pick(TEXTS, random);

export function changeShape(shape, random) {
  const { dim } = shape;
  const kind = random(6);
  if (kind === 0) shape.unknownRank = !shape.unknownRank;
  else if (kind === 1) dim.splice(random(dim.length + 1), 0, { ...newDim(someSize(random)) });
  else if (kind === 2 && dim.length > 0) dim.splice(random(dim.length), 1);
  else if (kind === 3) {
    const rank = pick([8, 9, 254, 255, 256, 300], random);
    while (dim.length < rank) dim.push(newDim(pick([1n, 1n, 2n], random)));
  } else if (dim.length > 0) pick(dim, random).size = someSize(random);
  else dim.push(newDim(someSize(random)));
}

const newDim = (size) => ({ $typeName: 'tensorflow.TensorShapeProto.Dim', size, name: '' });
const newShape = () => ({ $typeName: 'tensorflow.TensorShapeProto', dim: [], unknownRank: false });

export function changeTensor(tensor, random) {
  const kind = random(6);
  if (kind === 0) tensor.dtype = someType(random);
  else if (kind === 1) {
    tensor.tensorShape ??= newShape();
    changeShape(tensor.tensorShape, random);
  } else if (kind === 2)
    tensor.tensorContent = tensor.tensorContent.subarray(0, random(tensor.tensorContent.length + 1));
  else if (kind === 3) tensor.tensorContent = utf8.encode(someText(random));
  else if (kind === 4) {
    const numbers = pick([tensor.floatVal, tensor.doubleVal], random);
    if (numbers.length > 0) numbers[random(numbers.length)] = pick(FLOATS, random);
    else numbers.push(pick(FLOATS, random));
    if (tensor.intVal.length > 0)
      tensor.intVal[random(tensor.intVal.length)] = pick([0, -1, 1, 100000, 2 ** 31 - 1, -(2 ** 31)], random);
    if (tensor.int64Val.length > 0) tensor.int64Val[random(tensor.int64Val.length)] = someSize(random);
    // Numbers of a shape, or the axis of a sum, mostly stand as bytes.
    if (tensor.tensorContent.length >= 4) {
      const bytes = tensor.tensorContent.slice();
      new DataView(bytes.buffer).setInt32(
        4 * random(bytes.length >> 2),
        Number(BigInt.asIntN(32, someSize(random))),
        true,
      );
      tensor.tensorContent = bytes;
    }
  } else {
    const list = pick(
      [tensor.stringVal, tensor.intVal, tensor.floatVal, tensor.int64Val, tensor.boolVal],
      random,
    );
    if (random(2) === 0) list.length = random(list.length + 1);
    else if (list.length > 0) list.push(list[0]);
  }
}

/** `of.value` is a oneof of AttrValue. `names` are functions. */
export function changeAttribute(of, names, random) {
  const { value } = of;
  switch (value.case) {
    case 'type':
      value.value = someType(random);
      break;
    case 'shape':
      changeShape(value.value, random);
      break;
    case 'tensor':
      changeTensor(value.value, random);
      break;
    case 'i':
      value.value = someSize(random);
      break;
    case 'f':
      value.value = pick(FLOATS, random);
      break;
    case 'b':
      value.value = !value.value;
      break;
    case 's':
      value.value =
        random(3) === 0
          ? value.value.subarray(random(value.value.length + 1))
          : utf8.encode(someText(random));
      break;
    case 'func':
      value.value.name = random(4) === 0 ? someText(random) : (pick(names, random) ?? 'none');
      break;
    case 'list':
      changeList(value.value, names, random);
      break;
    default:
      of.value = { case: 'i', value: someSize(random) };
  }
}

function changeList(list, names, random) {
  const kinds = ['s', 'i', 'f', 'b', 'type', 'shape', 'tensor', 'func'];
  const filled = kinds.filter((kind) => list[kind].length > 0);
  if (filled.length === 0) {
    if (random(2) === 0) list.type.push(someType(random));
    else list.shape.push(newShape());
    return;
  }
  const kind = pick(filled, random);
  const values = list[kind];
  const at = random(values.length);
  const how = random(4);
  if (how === 0) values.splice(at, 1);
  else if (how === 1) values.push(values[at]);
  else if (how === 2) values.length = 0;
  else {
    const of = { value: { case: kind, value: values[at] } };
    changeAttribute(of, names, random);
    values[at] = of.value.value;
  }
}
