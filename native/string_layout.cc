#include "string_layout.h"

#include <algorithm>
#include <limits>
#include <new>

namespace tf_session {
namespace {

constexpr std::align_val_t kAlignment{64};

bool HasStrings() { return static_cast<bool>(tf().TF_StringInit); }

// Strings that lie elsewhere go with the tensor's memory, on whichever thread lets go of it last: an output
// or a variable may hold it longer than who made it, and TensorFlow frees the memory alone.
void FreeWithStrings(void* data, size_t bytes, void* /*argument*/) {
  const auto free = tf().TF_StringDealloc.pointer;  // itself: nothing here may throw
  auto* strings = static_cast<TF_TString*>(data);
  for (size_t i = 0; i < bytes / sizeof(TF_TString); ++i) free(&strings[i]);
  ::operator delete(data, kAlignment);
}

TensorPtr AllocateStrings(const std::vector<int64_t>& shape, size_t elements) {
  if (elements > std::numeric_limits<size_t>::max() / sizeof(TF_TString)) throw std::bad_alloc();
  const size_t bytes = elements * sizeof(TF_TString);
  const size_t room = std::max(elements, size_t{1}) * sizeof(TF_TString);
  auto* strings = static_cast<TF_TString*>(::operator new(room, kAlignment));
  // All elements are valid from the start: whatever throws while they are filled, each can be freed.
  for (size_t i = 0; i < elements; ++i) tf().TF_StringInit(&strings[i]);
  // Where it fails, it has freed them.
  TensorPtr tensor(tf().TF_NewTensor(TF_STRING, shape.data(), static_cast<int>(shape.size()), strings, bytes,
                                     FreeWithStrings, nullptr));
  if (!tensor) throw std::bad_alloc();
  return tensor;
}

// nullptr data is fine only where there is none.
TensorPtr Allocate(const std::vector<int64_t>& shape, size_t bytes) {
  TensorPtr tensor(tf().TF_AllocateTensor(TF_STRING, shape.data(), static_cast<int>(shape.size()), bytes));
  if (!tensor || (bytes > 0 && tf().TF_TensorData(tensor.get()) == nullptr)) throw std::bad_alloc();
  return tensor;
}

size_t ElementsOf(const TF_Tensor* tensor) {
  size_t elements = 1;
  for (int i = 0; i < tf().TF_NumDims(tensor); ++i) elements *= static_cast<size_t>(tf().TF_Dim(tensor, i));
  return elements;
}

// TensorFlow 2.4 and 2.5 free a tensor of the C API's without its long strings, which lie elsewhere. What
// later ones find freed they leave. Where anyone else holds the tensor, the strings are his as well.
void FreeStrings(TF_Tensor* tensor) {
  const auto free = tf().TF_StringDealloc.pointer;  // itself: nothing here may throw
  const size_t elements = ElementsOf(tensor);
  if (free == nullptr || elements == 0 || tf().TF_TensorMaybeMove(tensor) == nullptr) return;
  auto* strings = static_cast<TF_TString*>(tf().TF_TensorData(tensor));
  for (size_t i = 0; i < elements; ++i) free(&strings[i]);
}

}  // namespace

void TensorDeleter::operator()(TF_Tensor* tensor) const {
  if (tf().TF_TensorType(tensor) == TF_STRING) FreeStrings(tensor);
  tf().TF_DeleteTensor(tensor);
}

StringReader::StringReader(const TF_Tensor* tensor)
    : data_(tf().TF_TensorData(tensor)), bytes_(tf().TF_TensorByteSize(tensor)), size_(ElementsOf(tensor)) {}

std::string_view StringReader::At(size_t index) const {
  if (!HasStrings()) return PackedStringAt({static_cast<const char*>(data_), bytes_}, size_, index);
  const TF_TString* string = static_cast<const TF_TString*>(data_) + index;
  return {tf().TF_StringGetDataPointer(string), tf().TF_StringGetSize(string)};
}

StringWriter::StringWriter(const std::vector<int64_t>& shape, size_t elements) : shape_(shape) {
  if (!HasStrings()) {
    packed_.Reserve(elements);
    return;
  }
  tensor_ = AllocateStrings(shape, elements);
}

void StringWriter::Add(std::string_view text) {
  if (tensor_) {
    auto* strings = static_cast<TF_TString*>(tf().TF_TensorData(tensor_.get()));
    tf().TF_StringCopy(&strings[next_++], text.data(), text.size());
    return;
  }
  packed_.Add(text);
}

TensorPtr StringWriter::Finish() {
  if (tensor_) return std::move(tensor_);
  TensorPtr tensor = Allocate(shape_, packed_.size());
  if (packed_.size() > 0) packed_.Write(static_cast<char*>(tf().TF_TensorData(tensor.get())));
  return tensor;
}

}  // namespace tf_session
