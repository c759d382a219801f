#include "memory.h"

#include <cstring>
#include <new>

#include "env_data.h"
#include "status.h"

namespace tf_session {
namespace {

// Made up once; tells a Memory from any other object, also from one of another addon.
constexpr napi_type_tag kMemoryTag = {0x8a5d0f1c3b7e4d29, 0xb1c46e02f75a9d83};

}  // namespace

std::shared_ptr<MemoryBlock> MemoryBlock::Allocate(size_t bytes, bool zero) {
  // One byte at least, so that each block has an address of its own.
  void* data = ::operator new(bytes == 0 ? 1 : bytes, std::align_val_t{kAlignment});
  if (zero) std::memset(data, 0, bytes);
  return std::shared_ptr<MemoryBlock>(new MemoryBlock(data, bytes));
}

MemoryBlock::~MemoryBlock() { ::operator delete(data_, std::align_val_t{kAlignment}); }

Napi::Value ExternalArrayBuffer(Napi::Env env, const std::shared_ptr<MemoryBlock>& block, bool* external) {
  auto* keep = new std::shared_ptr<MemoryBlock>(block);
  napi_value buffer = nullptr;
  const napi_status status = napi_create_external_arraybuffer(
      env, block->data(), block->size(),
      [](napi_env, void*, void* hint) { delete static_cast<std::shared_ptr<MemoryBlock>*>(hint); }, keep,
      &buffer);
  *external = status == napi_ok;
  if (status == napi_ok) return {env, buffer};
  delete keep;
  if (status != napi_no_external_buffers_allowed) throw Napi::Error::New(env);
  Napi::ArrayBuffer copy = Napi::ArrayBuffer::New(env, block->size());
  std::memcpy(copy.Data(), block->data(), block->size());
  return copy;
}

void Memory::Init(Napi::Env env) {
  EnvData::Of(env).memory_class = Napi::Persistent(
      DefineClass(env, "NativeMemory",
                  {InstanceAccessor<&Memory::Buffer>("buffer"), InstanceMethod<&Memory::Uses>("uses")}));
}

Napi::Value Memory::Allocate(const Napi::CallbackInfo& info) {
  return EnvData::Of(info.Env()).memory_class.New({info[0]});
}

Memory::Memory(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Napi::Env env = info.Env();
  const auto bytes = static_cast<size_t>(info[0].As<Napi::Number>().Int64Value());
  try {
    block_ = MemoryBlock::Allocate(bytes, true);
  } catch (const std::bad_alloc&) {
    ThrowJs(env, Error(TF_RESOURCE_EXHAUSTED, "There is no memory for " + std::to_string(bytes) + " bytes."));
  }
  bool external = false;
  const Napi::Value buffer = ExternalArrayBuffer(env, block_, &external);
  if (!external) {
    ThrowJs(env, Error(TF_UNIMPLEMENTED,
                       "This runtime forbids memory from outside of its heap, so there is none to share with "
                       "TensorFlow. Use Tensor.from, which copies."));
  }
  buffer_ = Napi::Persistent(buffer.As<Napi::ArrayBuffer>());
  info.This().As<Napi::Object>().TypeTag(&kMemoryTag);
}

Memory* Memory::From(const Napi::Value& value) {
  if (!value.IsObject()) return nullptr;
  const auto object = value.As<Napi::Object>();
  return object.CheckTypeTag(&kMemoryTag) ? Unwrap(object) : nullptr;
}

Napi::Value Memory::Buffer(const Napi::CallbackInfo& /*info*/) { return buffer_.Value(); }

Napi::Value Memory::Uses(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), block_->uses.load());
}

}  // namespace tf_session
