#include "tensor.h"

#include <cstring>
#include <limits>
#include <string>

#include "dtypes.h"
#include "string_tensor.h"

namespace tf_session {
namespace {

// From here on an output is handed over rather than copied. Below it a copy costs less than an ArrayBuffer
// with memory from outside of V8's heap and its finalizer.
constexpr size_t kHandOverBytes = size_t{32} * 1024;

// TensorFlow's TensorShape ends the process above this.
constexpr uint32_t kMostDimensions = 254;

napi_value Element(Napi::Env env, napi_value array, uint32_t at) {
  napi_value element = nullptr;
  // Fails only where a getter of the array throws.
  if (napi_get_element(env, array, at, &element) != napi_ok) throw Napi::Error::New(env);
  return element;
}

std::vector<int64_t> ShapeFromJs(Napi::Env env, napi_value array) {
  uint32_t rank = 0;
  if (napi_get_array_length(env, array, &rank) != napi_ok) {
    throw Error(TF_INVALID_ARGUMENT, "A tensor's shape must be an array.");
  }
  if (rank > kMostDimensions) {
    throw Error(TF_INVALID_ARGUMENT, "A tensor has at most " + std::to_string(kMostDimensions) +
                                         " dimensions, this one has " + std::to_string(rank) + ".");
  }
  std::vector<int64_t> shape(rank);
  for (uint32_t i = 0; i < rank; ++i) {
    if (napi_get_value_int64(env, Element(env, array, i), &shape[i]) != napi_ok) {
      throw Error(TF_INVALID_ARGUMENT, "A dimension of a tensor's shape is no number.");
    }
  }
  return shape;
}

// Elements of a shape; throws where a dimension is negative or the product is beyond what memory can hold.
int64_t ElementCount(const std::vector<int64_t>& shape) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 16;
  int64_t count = 1;
  for (const int64_t dimension : shape) {
    if (dimension < 0) throw Error(TF_INVALID_ARGUMENT, "A dimension of a tensor's shape is negative.");
    if (dimension != 0 && count > kMost / dimension) {
      throw Error(TF_INVALID_ARGUMENT, "The tensor's shape has more elements than memory can hold.");
    }
    count *= dimension;
  }
  return count;
}

void CheckSize(size_t given, size_t wanted) {
  if (given == wanted) return;
  throw Error(TF_INVALID_ARGUMENT, "The tensor's shape and type need " + std::to_string(wanted) +
                                       " bytes, its data has " + std::to_string(given) + ".");
}

// TensorFlow has let go of a borrowed block; on any of its threads.
void ReleaseBlock(void* /*data*/, size_t /*length*/, void* argument) {
  auto* keep = static_cast<std::shared_ptr<MemoryBlock>*>(argument);
  --(*keep)->uses;
  delete keep;
}

TensorPtr Borrow(TF_DataType type, const std::vector<int64_t>& shape,
                 const std::shared_ptr<MemoryBlock>& block) {
  auto* keep = new std::shared_ptr<MemoryBlock>(block);
  ++block->uses;
  return TensorPtr(tf().TF_NewTensor(type, shape.data(), static_cast<int>(shape.size()), block->data(),
                                     block->size(), ReleaseBlock, keep));
}

TensorPtr Copy(TF_DataType type, const std::vector<int64_t>& shape, const void* data, size_t bytes) {
  TensorPtr tensor(tf().TF_AllocateTensor(type, shape.data(), static_cast<int>(shape.size()), bytes));
  if (!tensor || (bytes > 0 && tf().TF_TensorData(tensor.get()) == nullptr)) throw std::bad_alloc();
  if (bytes > 0) std::memcpy(tf().TF_TensorData(tensor.get()), data, bytes);
  return tensor;
}

struct ByteSpan {
  const void* data = nullptr;
  size_t size = 0;
};

size_t ElementSize(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    default:
      return 8;
  }
}

// False where it is no typed array.
bool GetBytes(Napi::Env env, napi_value value, ByteSpan* bytes) {
  napi_typedarray_type type{};
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return false;
  *bytes = {data, length * ElementSize(type)};
  return true;
}

}  // namespace

TensorPtr TensorFromJs(Napi::Env env, napi_value inputs, uint32_t at) {
  int32_t number = 0;
  (void)napi_get_value_int32(env, Element(env, inputs, at), &number);
  const auto type = static_cast<TF_DataType>(number);
  const std::vector<int64_t> shape = ShapeFromJs(env, Element(env, inputs, at + 1));
  const int64_t count = ElementCount(shape);
  const napi_value data = Element(env, inputs, at + 2);
  if (type == TF_STRING) return StringsFromJs(env, shape, count, Napi::Array(env, data));
  const size_t size = tf().TF_DataTypeSize(type);
  if (size == 0) {
    throw Error(TF_UNIMPLEMENTED, std::string("TensorFlow ") + OpenedLibrary()->version +
                                      " takes no tensors of type " + DTypeName(type) + " from outside.");
  }
  const size_t wanted = static_cast<size_t>(count) * size;
  ByteSpan bytes;
  if (GetBytes(env, data, &bytes)) {
    CheckSize(bytes.size, wanted);
    return Copy(type, shape, bytes.data, bytes.size);
  }
  const Memory* memory = Memory::From(Napi::Value(env, data));
  if (memory == nullptr) throw Error(TF_INVALID_ARGUMENT, "A tensor's data must be a typed array.");
  CheckSize(memory->block()->size(), wanted);
  return Borrow(type, shape, memory->block());
}

FetchedTensor::FetchedTensor(TensorPtr tensor, const OutputPolicy& policy)
    : type_(tf().TF_TensorType(tensor.get())),
      shape_(static_cast<size_t>(tf().TF_NumDims(tensor.get()))),
      into_ordinary_(policy.copy),
      strings_as_bytes_(policy.strings_as_bytes),
      tensor_(std::move(tensor)) {
  for (size_t i = 0; i < shape_.size(); ++i) shape_[i] = tf().TF_Dim(tensor_.get(), static_cast<int>(i));
  if (TakeWhole()) return;
  // The same memory may be the input's own (Identity), a variable's, a constant's, another fetch's. A later
  // run may write to it before the JS thread comes to read, and what JavaScript writes would change the next
  // run.
  if (type_ == TF_STRING) {
    tensor_ = CopyStrings(tensor_.get(), shape_);
    return;
  }
  const size_t bytes = tf().TF_TensorByteSize(tensor_.get());
  copy_ = MemoryBlock::Allocate(bytes, false);
  std::memcpy(copy_->data(), tf().TF_TensorData(tensor_.get()), bytes);
  tensor_.reset();
}

// True where TensorFlow holds the tensor's memory nowhere else.
bool FetchedTensor::TakeWhole() {
  // A tensor without elements has no memory to ask about.
  if (tf().TF_TensorByteSize(tensor_.get()) == 0) return true;
  TF_Tensor* tensor = tensor_.release();
  TF_Tensor* moved = tf().TF_TensorMaybeMove(tensor);
  // By its header a tensor that was moved is deleted; in fact it is the same.
  tensor_.reset(moved != nullptr ? moved : tensor);
  return moved != nullptr;
}

void FetchedTensor::ToJs(Napi::Env env, napi_value array, uint32_t at) {
  const auto number = [&](int64_t value) {
    napi_value result = nullptr;
    (void)napi_create_int64(env, value, &result);
    return result;
  };
  napi_value shape = nullptr;
  if (napi_create_array_with_length(env, shape_.size(), &shape) != napi_ok) throw Napi::Error::New(env);
  for (uint32_t i = 0; i < shape_.size(); ++i) (void)napi_set_element(env, shape, i, number(shape_[i]));
  (void)napi_set_element(env, array, at, number(type_));
  (void)napi_set_element(env, array, at + 1, shape);
  (void)napi_set_element(env, array, at + 2, Data(env));
}

Napi::Value FetchedTensor::Data(Napi::Env env) {
  if (type_ == TF_STRING) return StringsToJs(env, tensor_.get(), strings_as_bytes_);
  const size_t bytes = copy_ ? copy_->size() : tf().TF_TensorByteSize(tensor_.get());
  void* data = copy_ ? copy_->data() : tf().TF_TensorData(tensor_.get());
  if (bytes >= kHandOverBytes && !into_ordinary_) {
    // What the ArrayBuffer keeps alive, with its count.
    struct Owner {
      TensorPtr tensor;
      std::shared_ptr<MemoryBlock> copy;
      Counted counted{live.tensors};
    };
    auto owner = std::make_shared<Owner>();
    owner->copy = copy_;
    owner->tensor = std::move(tensor_);
    napi_value buffer = nullptr;
    if (ExternalArrayBuffer(env, data, bytes, owner, &buffer) == napi_ok) return {env, buffer};
    // Electron takes no memory from outside of its heap, Node none above its longest Buffer: copied below.
    tensor_ = std::move(owner->tensor);
  }
  Napi::ArrayBuffer ordinary = Napi::ArrayBuffer::New(env, bytes);
  if (bytes > 0) std::memcpy(ordinary.Data(), data, bytes);
  return ordinary;
}

}  // namespace tf_session
