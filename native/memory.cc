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

napi_status ExternalArrayBuffer(napi_env env, void* data, size_t size, std::shared_ptr<void> owner,
                                napi_value* buffer) {
  struct Keep {
    std::shared_ptr<void> owner;
    bool* dropped;
  };
  bool dropped = false;
  auto* keep = new Keep{std::move(owner), &dropped};
  const napi_status status = napi_create_external_arraybuffer(
      env, data, size,
      [](napi_env, void*, void* hint) {
        auto* keep = static_cast<Keep*>(hint);
        if (keep->dropped != nullptr) *keep->dropped = true;
        delete keep;
      },
      keep, buffer);
  if (status == napi_ok) {
    keep->dropped = nullptr;
    return status;
  }
  // Above Node's longest Buffer it fails with an exception, and has called the finalizer.
  if (!dropped) delete keep;
  napi_value exception = nullptr;
  (void)napi_get_and_clear_last_exception(env, &exception);
  return status;
}

void Memory::Init(Napi::Env env) {
  EnvData::Of(env).memory_class = Napi::Persistent(
      DefineClass(env, "NativeMemory",
                  {InstanceAccessor<&Memory::Buffer>("buffer"), InstanceMethod<&Memory::Uses>("uses")}));
}

Napi::Value Memory::Allocate(const Napi::CallbackInfo& info) {
  const Napi::Object memory = EnvData::Of(info.Env()).memory_class.New({info[0]});
  return Unwrap(memory)->buffer_.IsEmpty() ? info.Env().Null() : Napi::Value(memory);
}

Memory::Memory(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Napi::Env env = info.Env();
  const int64_t bytes = info[0].As<Napi::Number>().Int64Value();
  napi_value buffer = nullptr;
  try {
    if (bytes < 0) throw std::bad_alloc();
    block_ = MemoryBlock::Allocate(static_cast<size_t>(bytes), true);
  } catch (const std::bad_alloc&) {
    ThrowJs(env, Error(TF_RESOURCE_EXHAUSTED, "There is no memory for " + std::to_string(bytes) + " bytes."));
  }
  const napi_status status = ExternalArrayBuffer(env, block_->data(), block_->size(), block_, &buffer);
  if (status == napi_no_external_buffers_allowed) {
    block_.reset();  // or it would stay until this object, which nobody gets, is collected
    return;
  }
  if (status != napi_ok) {
    ThrowJs(env, Error(TF_RESOURCE_EXHAUSTED, "This runtime shares no " + std::to_string(bytes) +
                                                  " bytes at once. Use Tensor.from, which copies."));
  }
  buffer_ = Napi::Persistent(Napi::ArrayBuffer(env, buffer));
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
