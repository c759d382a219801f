// Memory that JavaScript and TensorFlow share: 64-byte aligned, which is what TensorFlow reads without a
// copy.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "counts.h"
#include "napi_setup.h"

namespace tf_session {

class MemoryBlock {
 public:
  static constexpr size_t kAlignment = 64;

  // Throws std::bad_alloc. Not zeroed unless asked: a run that fills it all need not pay twice.
  static std::shared_ptr<MemoryBlock> Allocate(size_t bytes, bool zero);

  MemoryBlock(const MemoryBlock&) = delete;
  MemoryBlock& operator=(const MemoryBlock&) = delete;
  ~MemoryBlock();

  [[nodiscard]] void* data() const { return data_; }
  [[nodiscard]] size_t size() const { return size_; }

  // How many TF_Tensors stand on this memory. Counted from any thread.
  std::atomic<int> uses{0};

 private:
  MemoryBlock(void* data, size_t size) : data_(data), size_(size) {}
  void* data_;
  size_t size_;
  Counted counted_{live.memories};
};

// An ArrayBuffer over `data`, which keeps `owner` alive. Fails where the runtime forbids external buffers
// (Electron) or the size is above Node's longest Buffer; then no JavaScript exception is left pending.
napi_status ExternalArrayBuffer(napi_env env, void* data, size_t size, std::shared_ptr<void> owner,
                                napi_value* buffer);

// The JS class behind Tensor.allocate (lib/native.ts: NativeMemory).
class Memory : public Napi::ObjectWrap<Memory> {
 public:
  static void Init(Napi::Env env);
  // Null where the runtime forbids external buffers.
  static Napi::Value Allocate(const Napi::CallbackInfo& info);
  // nullptr for an object of any other class.
  static Memory* From(const Napi::Value& value);

  explicit Memory(const Napi::CallbackInfo& info);
  [[nodiscard]] const std::shared_ptr<MemoryBlock>& block() const { return block_; }

 private:
  Napi::Value Buffer(const Napi::CallbackInfo& info);
  Napi::Value Uses(const Napi::CallbackInfo& info);

  std::shared_ptr<MemoryBlock> block_;
  // Always the same buffer: two ArrayBuffers must never share a pointer.
  Napi::Reference<Napi::ArrayBuffer> buffer_;
};

}  // namespace tf_session
