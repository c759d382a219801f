// Bytes damaged without knowing what they mean, or knowing no more than that they are a protobuf message.
import { fromDist } from '../../tools/dist.mjs';
import { mutated, pick } from '../random.mjs';

const { wireFields } = await fromDist('saved-model/wire.js');

/** Damaged in one of the ways below; `other` are bytes of the same kind. */
export function damaged(bytes, other, random) {
  return pick([mutated, mutated, cut, (b, r) => splice(b, other, r), wrongLength, flipped], random)(
    bytes,
    random,
  );
}

function cut(bytes, random) {
  const at = random(bytes.length);
  if (random(2) === 0) return bytes.slice(0, at);
  const end = at + random(Math.min(bytes.length - at, 2000));
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
}

/** A piece of one in place of a piece of the other. */
function splice(bytes, other, random) {
  const [to, from] = [random(bytes.length), random(other.length)];
  const length = 1 + random(400);
  const rest = random(2) === 0 ? to : to + length;
  return Buffer.concat([bytes.subarray(0, to), other.subarray(from, from + length), bytes.subarray(rest)]);
}

function flipped(bytes, random) {
  const copy = new Uint8Array(bytes);
  for (let n = 1 + random(16); n > 0; n--) copy[random(copy.length)] ^= 1 << random(8);
  return copy;
}

/** The length of a field, somewhere below, that says more or less than there is. */
function wrongLength(bytes, random) {
  const copy = new Uint8Array(bytes);
  let message = copy;
  for (let depth = 1 + random(8); depth > 0; depth--) {
    let payloads;
    try {
      payloads = [...wireFields(message)].map(({ payload }) => payload);
    } catch {
      break; // a text, not a message
    }
    const inner = payloads.filter((payload) => payload !== undefined && payload.length > 0);
    if (inner.length === 0) break;
    message = pick(inner, random);
  }
  if (message.byteOffset > copy.byteOffset) {
    const last = message.byteOffset - copy.byteOffset - 1;
    copy[last] = random(3) === 0 ? random(256) : copy[last] + pick([1, -1, 2, 64, 128], random);
  }
  return copy;
}
