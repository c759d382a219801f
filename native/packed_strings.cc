#include "packed_strings.h"

#include <tensorflow/c/tf_status.h>

#include <cstring>
#include <iterator>

#include "error.h"
#include "protozero_setup.h"

namespace tf_session {
namespace {

[[noreturn]] void ThrowTorn() {
  throw Error(TF_DATA_LOSS, "TensorFlow gave a string tensor whose offsets lead out of it.");
}

}  // namespace

std::string_view PackedStringAt(std::string_view data, size_t elements, size_t index) {
  if (index >= elements || elements > data.size() / sizeof(uint64_t)) ThrowTorn();
  const size_t table = elements * sizeof(uint64_t);
  uint64_t offset = 0;
  std::memcpy(&offset, data.data() + index * sizeof offset, sizeof offset);
  if (offset > data.size() - table) ThrowTorn();
  const char* at = data.data() + table + offset;
  const char* const end = data.data() + data.size();
  uint64_t length = 0;
  try {
    length = protozero::decode_varint(&at, end);
  } catch (const protozero::exception&) {
    ThrowTorn();
  }
  if (length > static_cast<uint64_t>(end - at)) ThrowTorn();
  return {at, static_cast<size_t>(length)};
}

void PackedStrings::Add(std::string_view text) {
  offsets_.push_back(strings_.size());
  protozero::write_varint(std::back_inserter(strings_), text.size());
  strings_.append(text);
}

void PackedStrings::Write(char* into) const {
  const size_t table = offsets_.size() * sizeof(uint64_t);
  if (table == 0) return;
  std::memcpy(into, offsets_.data(), table);
  std::memcpy(into + table, strings_.data(), strings_.size());
}

}  // namespace tf_session
