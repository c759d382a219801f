// { dtype, shape, data } in JavaScript <-> TF_Tensor.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "counts.h"
#include "handles.h"
#include "memory.h"
#include "napi_setup.h"

namespace tf_session {

// Data type and shape of tensors, one after the other: type, rank, dimensions. Each call into Node costs more
// than all of these numbers, so they come in one piece.
struct Head {
  const double* next = nullptr;
  const double* end = nullptr;
};

// JS thread. Takes type and shape from the head. Copies the data, unless it is a Memory: then TensorFlow
// reads the caller's bytes in place, and the memory's use count says until when. Throws Error.
TensorPtr TensorFromJs(Napi::Env env, Head* head, napi_value data);

// A shape as JavaScript has seen it: most runs give the same one again.
struct KnownShape {
  std::vector<int64_t> dimensions;
  Napi::Reference<Napi::Array> array;  // frozen
};

// How a fetched tensor's bytes reach JavaScript.
struct OutputPolicy {
  bool copy = false;              // always into ordinary ArrayBuffers
  bool at_once = false;           // ToJs comes before any other run can
  bool strings_as_bytes = false;  // no decoding
};

// One output on its way from the worker thread, which decides and does the heavy copying, to the JS thread.
class FetchedTensor {
 public:
  // Worker thread. Takes the tensor over.
  FetchedTensor(TensorPtr tensor, const OutputPolicy& policy);

  // JS thread, once. Sets shape and data at `at` and `at + 1` of the array.
  void ToJs(Napi::Env env, napi_value array, uint32_t at, KnownShape* known);
  // JS thread, once, instead: the data alone. Of strings an array, else an ArrayBuffer.
  Napi::Value Data(Napi::Env env);

  [[nodiscard]] bool is_string() const { return type_ == TF_STRING; }
  [[nodiscard]] const std::vector<int64_t>& shape() const { return shape_; }

 private:
  bool TakeWhole();

  TF_DataType type_;
  std::vector<int64_t> shape_;
  bool into_ordinary_;
  bool strings_as_bytes_;
  TensorPtr tensor_;                   // ours alone, or
  std::shared_ptr<MemoryBlock> copy_;  // a copy of what is not
  Counted counted_{live.tensors};
};

}  // namespace tf_session
