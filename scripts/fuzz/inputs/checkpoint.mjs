// The two files of a checkpoint, damaged: their bytes, or what the index says, written anew with right checksums, so that
// it is believed.
import { create, toBinary } from '@bufbuild/protobuf';
import { fromDist } from '../../tools/dist.mjs';
import { pick } from '../random.mjs';
import { damaged } from './bytes.mjs';
import { changeShape, someSize, someText, someType } from './graph-values.mjs';

/** What goes beyond the type comes out at its other end. */
const asInt64 = (value) => BigInt.asIntN(64, value);
const { maskedCrc32c } = await fromDist('records/crc32c.js');
const { readCheckpointIndex } = await fromDist('saved-model/checkpoint.js');
const { BundleHeaderProtoSchema, BundleEntryProtoSchema } = await fromDist(
  'proto/tensorflow/core/protobuf/tensor_bundle_pb.js',
);

/**
 * @param {{ index: Uint8Array, data: Uint8Array, entries: Map<string, object> }} checkpoint `entries` are its own, to be changed
 * @returns {Promise<{ index: Uint8Array, data: Uint8Array }>}
 */
export async function changeCheckpoint({ index, data, entries }, other, random) {
  const kind = random(8);
  if (kind === 0) return { index: damaged(index, other.index, random), data };
  if (kind === 1) return { index, data: damaged(data, other.data, random) };
  const header = { numShards: 1, endianness: 0, version: { producer: 1 } };
  let bytes = data;
  if (kind < 4) {
    // Believed: each value has the checksum of what is there now.
    bytes = damaged(data, other.data, random);
    for (const entry of entries.values()) await checksum(entry, bytes);
  } else {
    for (let n = 1 + random(3); n > 0; n--) changeEntries(entries, header, random);
    if (random(2) === 0) for (const entry of entries.values()) await checksum(entry, bytes);
  }
  return { index: await tableOf(header, entries, random), data: bytes };
}

/** The index of the checkpoint `prefix` with its entries changed. */
export async function changedCheckpoint(prefix, change) {
  const { entries, shards } = await readCheckpointIndex(prefix);
  const all = new Map(entries);
  change(all);
  return tableOf({ numShards: shards, version: { producer: 1 } }, all, () => 1);
}

async function checksum(entry, data) {
  const [from, size] = [Number(entry.offset), Number(entry.size)];
  if (from >= 0 && size >= 0 && from + size <= data.length)
    entry.crc32c = await maskedCrc32c(data.subarray(from, from + size));
}

function changeEntries(entries, header, random) {
  const keys = [...entries.keys()];
  const key = pick(keys, random);
  const entry = entries.get(key);
  switch (entry === undefined ? 9 : random(10)) {
    case 0:
      entry.dtype = someType(random);
      break;
    case 1:
    case 2:
      entry.shape ??= { $typeName: 'tensorflow.TensorShapeProto', dim: [], unknownRank: false };
      changeShape(entry.shape, random);
      break;
    case 3:
      entry.size = asInt64(random(2) === 0 ? someSize(random) : entry.size + BigInt(random(9) - 4));
      break;
    case 4:
      entry.offset = asInt64(random(2) === 0 ? someSize(random) : entry.offset + BigInt(random(9) - 4));
      break;
    case 5:
      entry.shardId = pick([0, 1, 7, -1, 2 ** 31 - 1], random);
      break;
    case 6:
      entries.delete(key);
      break;
    case 7:
      entries.set(random(2) === 0 ? someText(random) : key, entries.get(pick(keys, random)));
      break;
    case 8: {
      const length = { case: 'length', value: someSize(random) };
      const extent = [
        { $typeName: 'tensorflow.TensorSliceProto.Extent', start: someSize(random), hasLengthHack: length },
      ];
      entry.slices = [{ $typeName: 'tensorflow.TensorSliceProto', extent }];
      break;
    }
    default:
      Object.assign(
        header,
        pick(
          [
            { numShards: pick([0, 2, -1, 2 ** 31 - 1], random) },
            { endianness: 1 },
            { version: { producer: 99, minConsumer: 98 } },
          ],
          random,
        ),
      );
  }
}

/** A table of LevelDB's format: one block of entries, one of handles. Keys are sorted, now and then not. */
async function tableOf(header, entries, random) {
  const pairs = [...entries].map(([key, entry]) => [
    Buffer.from(key),
    toBinary(BundleEntryProtoSchema, create(BundleEntryProtoSchema, entry)),
  ]);
  if (random(16) > 0) pairs.sort(([a], [b]) => Buffer.compare(a, b));
  pairs.unshift([
    Buffer.alloc(0),
    toBinary(BundleHeaderProtoSchema, create(BundleHeaderProtoSchema, header)),
  ]);
  const file = [];
  let size = 0;
  const add = async (block) => {
    const handle = [size, block.length];
    const trailer = Buffer.alloc(5);
    trailer.writeUInt32LE(await maskedCrc32c(Buffer.concat([block, trailer.subarray(0, 1)])), 1);
    file.push(block, trailer);
    size += block.length + trailer.length;
    return Buffer.concat(handle.map(varint));
  };
  const content = await add(blockOf(pairs));
  const meta = await add(blockOf([]));
  const index = await add(blockOf([[Buffer.from([0xff]), content]]));
  const footer = Buffer.alloc(48);
  Buffer.concat([meta, index]).copy(footer);
  footer.writeBigUInt64LE(0xdb4775248b80fb57n, 40);
  return Buffer.concat([...file, footer]);
}

/** Each key in full, as LevelDB has it at a restart point; the one such point is the first. */
function blockOf(pairs) {
  const entries = pairs.flatMap(([key, value]) => [
    varint(0),
    varint(key.length),
    varint(value.length),
    key,
    value,
  ]);
  const restarts = Buffer.alloc(8);
  restarts.writeUInt32LE(1, 4);
  return Buffer.concat([...entries, restarts]);
}

function varint(value) {
  const bytes = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Buffer.from([...bytes, left]);
}
