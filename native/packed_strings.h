// The layout of string tensors before TensorFlow 2.4: a table of 64-bit offsets, one an element, counted from
// the end of the table, and there the strings, each a varint of its length and then its bytes. Knows neither
// Node-API nor TensorFlow; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tf_session {

// The string of that number, a view of `data`. Throws Error with DATA_LOSS where the bytes end before it
// does.
std::string_view PackedStringAt(std::string_view data, size_t elements, size_t index);

// Strings, packed in the order in which they are added.
class PackedStrings {
 public:
  void Reserve(size_t elements) { offsets_.reserve(elements); }
  void Add(std::string_view text);

  // The bytes that all of it takes, and it written there.
  [[nodiscard]] size_t size() const { return offsets_.size() * sizeof(uint64_t) + strings_.size(); }
  void Write(char* into) const;

 private:
  std::vector<uint64_t> offsets_;
  std::string strings_;
};

}  // namespace tf_session
