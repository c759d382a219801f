// The elements of a string tensor, in whichever of its two layouts the opened TensorFlow has.
//
// From 2.4 on a tensor holds one TF_TString an element, which only TF_String... functions touch. Before that
// it holds what packed_strings.h says. Nothing here knows JavaScript; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "handles.h"
#include "packed_strings.h"

namespace tf_session {

class StringReader {
 public:
  // Reads in place: the tensor must outlive the reader and every view it gives.
  explicit StringReader(const TF_Tensor* tensor);

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] std::string_view At(size_t index) const;

 private:
  const void* data_;
  size_t bytes_;
  size_t size_;
};

// Makes a tensor of strings from copies of them, given in row-major order.
class StringWriter {
 public:
  StringWriter(const std::vector<int64_t>& shape, size_t elements);

  // To be called once an element.
  void Add(std::string_view text);
  // To be called once, at the end.
  TensorPtr Finish();

 private:
  std::vector<int64_t> shape_;
  size_t next_ = 0;
  TensorPtr tensor_;      // from 2.4 on
  PackedStrings packed_;  // before 2.4: the tensor is allocated once its size is known
};

}  // namespace tf_session
