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
constexpr size_t kHandOverBytes = size_t{256} * 1024;

// TensorFlow's TensorShape ends the process above this.
constexpr uint32_t kMostDimensions = 254;

// Throws where the numbers end early, or are none that a shape can have.
double Next(Head* head) {
  if (head->next == head->end) throw Error(TF_INVALID_ARGUMENT, "The inputs' shapes are incomplete.");
  return *head->next++;
}

// False for NaN.
bool IsBetween(double number, double least, double most) { return number >= least && number <= most; }

std::vector<int64_t> ShapeFromJs(Head* head) {
  const double rank = Next(head);
  if (!IsBetween(rank, 0, kMostDimensions)) {
    throw Error(TF_INVALID_ARGUMENT,
                "A tensor has at most " + std::to_string(kMostDimensions) + " dimensions.");
  }
  std::vector<int64_t> shape(static_cast<size_t>(rank));
  constexpr double kMost = 9007199254740992;  // 2^53
  for (int64_t& dimension : shape) {
    const double number = Next(head);
    if (!IsBetween(number, -1, kMost)) {
      throw Error(TF_INVALID_ARGUMENT, "A dimension of a tensor's shape is no number of elements.");
    }
    dimension = static_cast<int64_t>(number);
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

TensorPtr TensorFromJs(Napi::Env env, Head* head, napi_value data) {
  const auto type = static_cast<TF_DataType>(static_cast<int>(Next(head)));
  const std::vector<int64_t> shape = ShapeFromJs(head);
  const int64_t count = ElementCount(shape);
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
  if ((policy.at_once && policy.copy && type_ != TF_STRING) || TakeWhole()) return;
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

void FetchedTensor::ToJs(Napi::Env env, napi_value array, uint32_t at, KnownShape* known) {
  if (known->array.IsEmpty() || known->dimensions != shape_) {
    const Napi::Array shape = Napi::Array::New(env, shape_.size());
    for (uint32_t i = 0; i < shape_.size(); ++i) shape.Set(i, static_cast<double>(shape_[i]));
    shape.Freeze();
    known->array = Napi::Persistent(shape);
    known->dimensions = shape_;
  }
  (void)napi_set_element(env, array, at, known->array.Value());
  (void)napi_set_element(env, array, at + 1, Data(env));
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
