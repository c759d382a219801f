#include "checkpoint_part.h"

#include <fcntl.h>
#include <tensorflow/c/tf_status.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "error.h"

namespace tf_session {
namespace {

// Table k holds the sum of a byte that k more bytes follow, so that eight go in one step.
using Tables = std::array<std::array<uint32_t, 256>, 8>;

Tables MakeTables() {
  constexpr uint32_t kPolynomial = 0x82f63b78;
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t sum = byte;
    for (int bit = 0; bit < 8; ++bit) sum = (sum & 1U) != 0 ? (sum >> 1U) ^ kPolynomial : sum >> 1U;
    tables[0][byte] = sum;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8U) ^ tables[0][before & 0xffU];
    }
  }
  return tables;
}

uint32_t MaskedCrc32c(const char* bytes, size_t size) {
  static const Tables tables = MakeTables();
  constexpr uint32_t kMask = 0xa282ead8;
  uint32_t sum = ~0U;
  const char* const end = bytes + size;
  for (; end - bytes >= 8; bytes += 8) {
    std::array<uint8_t, 8> next;
    std::memcpy(next.data(), bytes, next.size());
    for (size_t i = 0; i < 4; ++i) next[i] ^= static_cast<uint8_t>(sum >> (8 * i));
    sum = 0;
    for (size_t i = 0; i < next.size(); ++i) sum ^= tables[7 - i][next[i]];
  }
  for (; bytes != end; ++bytes) sum = (sum >> 8U) ^ tables[0][(sum ^ static_cast<uint8_t>(*bytes)) & 0xffU];
  sum = ~sum;
  return ((sum >> 15U) | (sum << 17U)) + kMask;
}

}  // namespace

void ReadPart(const CheckpointPart& part, char* into) {
  const int file = open(part.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw Error(TF_NOT_FOUND, part.path + " cannot be opened: " + std::strerror(errno) + ".");
  size_t at = 0;
  while (at < part.size) {
    const ssize_t got = pread(file, into + at, part.size - at, static_cast<off_t>(part.offset + at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    at += static_cast<size_t>(got);
  }
  close(file);
  if (at < part.size || MaskedCrc32c(into, part.size) != part.checksum) {
    throw Error(TF_DATA_LOSS, part.path + " is damaged: the " + std::to_string(part.size) + " bytes from " +
                                  std::to_string(part.offset) + " on are not what their checksum says.");
  }
}

}  // namespace tf_session
