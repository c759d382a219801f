#include "utf8.h"

#include <cstdint>
#include <cstring>

namespace tf_session {
namespace {

bool IsContinuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }

// Length of the well-formed sequence of more than one byte at `at`, or 0.
size_t SequenceLength(const uint8_t* at, size_t left) {
  const uint8_t lead = at[0];
  if (lead >= 0xC2 && lead <= 0xDF) return left >= 2 && IsContinuation(at[1]) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (left < 3 || !IsContinuation(at[1]) || !IsContinuation(at[2])) return 0;
    if (lead == 0xE0 && at[1] < 0xA0) return 0;  // overlong
    if (lead == 0xED && at[1] > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (left < 4 || !IsContinuation(at[1]) || !IsContinuation(at[2]) || !IsContinuation(at[3])) return 0;
    if (lead == 0xF0 && at[1] < 0x90) return 0;  // overlong
    if (lead == 0xF4 && at[1] > 0x8F) return 0;  // beyond U+10FFFF
    return 4;
  }
  return 0;
}

}  // namespace

Encoding EncodingOf(const char* data, size_t size) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(data);
  Encoding encoding = Encoding::kAscii;
  size_t i = 0;
  while (i < size) {
    // Eight ASCII characters at a time.
    uint64_t word = 0;
    if (size - i >= sizeof word) {
      std::memcpy(&word, bytes + i, sizeof word);
      if ((word & 0x8080808080808080U) == 0) {
        i += sizeof word;
        continue;
      }
    }
    if (bytes[i] < 0x80) {
      ++i;
      continue;
    }
    const size_t length = SequenceLength(bytes + i, size - i);
    if (length == 0) return Encoding::kOther;
    encoding = Encoding::kUtf8;
    i += length;
  }
  return encoding;
}

}  // namespace tf_session
