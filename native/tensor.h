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

// JS thread. From three entries of an array: data type, shape, data. Copies the data, unless it is a Memory:
// then TensorFlow reads the caller's bytes in place, and the memory's use count says until when. Throws
// Error.
TensorPtr TensorFromJs(Napi::Env env, napi_value inputs, uint32_t at);

// How a fetched tensor's bytes reach JavaScript.
struct OutputPolicy {
  bool copy = false;              // always into ordinary ArrayBuffers
  bool strings_as_bytes = false;  // no decoding
};

// One output on its way from the worker thread, which decides and does the heavy copying, to the JS thread.
class FetchedTensor {
 public:
  // Worker thread. Takes the tensor over.
  FetchedTensor(TensorPtr tensor, const OutputPolicy& policy);

  // JS thread, once. Sets dtype, shape and data at `at`, `at + 1` and `at + 2` of the array.
  void ToJs(Napi::Env env, napi_value array, uint32_t at);

 private:
  bool TakeWhole();
  Napi::Value Data(Napi::Env env);

  TF_DataType type_;
  std::vector<int64_t> shape_;
  bool into_ordinary_;
  bool strings_as_bytes_;
  TensorPtr tensor_;                   // ours alone, or
  std::shared_ptr<MemoryBlock> copy_;  // a copy of what is not
  Counted counted_{live.tensors};
};

}  // namespace tf_session
