// A pluggable device for the tests: two devices of the type HOST_DEVICE, whose memory is the host's and whose streams do
// at once what they are told. One kernel: Neg of floats.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "tensorflow/c/experimental/stream_executor/stream_executor.h"
#include "tensorflow/c/kernels.h"

namespace {

constexpr char kType[] = "HOST_DEVICE";
constexpr int64_t kMemory = int64_t{1} << 28;

void Ok(TF_Status* status) { TF_SetStatus(status, TF_OK, ""); }

void Allocate(const SP_Device*, uint64_t size, int64_t, SP_DeviceMemoryBase* memory) {
  memory->struct_size = SP_DEVICE_MEMORY_BASE_STRUCT_SIZE;
  memory->opaque = std::aligned_alloc(64, (size + 63) / 64 * 64);
  memory->size = memory->opaque == nullptr ? 0 : size;
}
void Deallocate(const SP_Device*, SP_DeviceMemoryBase* memory) {
  std::free(memory->opaque);
  memory->opaque = nullptr;
  memory->size = 0;
}
void* HostAllocate(const SP_Device*, uint64_t size) { return std::aligned_alloc(64, (size + 63) / 64 * 64); }
void HostDeallocate(const SP_Device*, void* memory) { std::free(memory); }
TF_Bool Usage(const SP_Device*, int64_t* free, int64_t* total) {
  *free = *total = kMemory;
  return true;
}

// Handles of nothing: no pointer that TensorFlow gets may be null.
template <typename Handle>
void Create(const SP_Device*, Handle* handle, TF_Status* status) {
  static char one;
  *handle = reinterpret_cast<Handle>(&one);
  Ok(status);
}
template <typename Handle>
void Destroy(const SP_Device*, Handle) {}

void FillExecutor(const SP_Platform*, SE_CreateStreamExecutorParams* params, TF_Status* status) {
  SP_StreamExecutor* e = params->stream_executor;
  e->struct_size = SP_STREAMEXECUTOR_STRUCT_SIZE;
  e->allocate = Allocate;
  e->deallocate = Deallocate;
  e->host_memory_allocate = HostAllocate;
  e->host_memory_deallocate = HostDeallocate;
  e->get_allocator_stats = [](const SP_Device*, SP_AllocatorStats*) -> TF_Bool { return false; };
  e->device_memory_usage = Usage;
  e->create_stream = Create<SP_Stream>;
  e->destroy_stream = Destroy<SP_Stream>;
  e->create_stream_dependency = [](const SP_Device*, SP_Stream, SP_Stream, TF_Status* s) { Ok(s); };
  e->get_stream_status = [](const SP_Device*, SP_Stream, TF_Status* s) { Ok(s); };
  e->create_event = Create<SP_Event>;
  e->destroy_event = Destroy<SP_Event>;
  e->get_event_status = [](const SP_Device*, SP_Event) { return SE_EVENT_COMPLETE; };
  e->record_event = [](const SP_Device*, SP_Stream, SP_Event, TF_Status* s) { Ok(s); };
  e->wait_for_event = [](const SP_Device*, SP_Stream, SP_Event, TF_Status* s) { Ok(s); };
  e->create_timer = Create<SP_Timer>;
  e->destroy_timer = Destroy<SP_Timer>;
  e->start_timer = [](const SP_Device*, SP_Stream, SP_Timer, TF_Status* s) { Ok(s); };
  e->stop_timer = [](const SP_Device*, SP_Stream, SP_Timer, TF_Status* s) { Ok(s); };
  e->memcpy_dtoh = [](const SP_Device*, SP_Stream, void* to, const SP_DeviceMemoryBase* from, uint64_t size,
                      TF_Status* s) {
    std::memcpy(to, from->opaque, size);
    Ok(s);
  };
  e->memcpy_htod = [](const SP_Device*, SP_Stream, SP_DeviceMemoryBase* to, const void* from, uint64_t size,
                      TF_Status* s) {
    std::memcpy(to->opaque, from, size);
    Ok(s);
  };
  e->memcpy_dtod = [](const SP_Device*, SP_Stream, SP_DeviceMemoryBase* to, const SP_DeviceMemoryBase* from,
                      uint64_t size, TF_Status* s) {
    std::memcpy(to->opaque, from->opaque, size);
    Ok(s);
  };
  e->sync_memcpy_dtoh = [](const SP_Device*, void* to, const SP_DeviceMemoryBase* from, uint64_t size,
                           TF_Status* s) {
    std::memcpy(to, from->opaque, size);
    Ok(s);
  };
  e->sync_memcpy_htod = [](const SP_Device*, SP_DeviceMemoryBase* to, const void* from, uint64_t size,
                           TF_Status* s) {
    std::memcpy(to->opaque, from, size);
    Ok(s);
  };
  e->sync_memcpy_dtod = [](const SP_Device*, SP_DeviceMemoryBase* to, const SP_DeviceMemoryBase* from,
                           uint64_t size, TF_Status* s) {
    std::memcpy(to->opaque, from->opaque, size);
    Ok(s);
  };
  e->block_host_for_event = [](const SP_Device*, SP_Event, TF_Status* s) { Ok(s); };
  e->block_host_until_done = [](const SP_Device*, SP_Stream, TF_Status* s) { Ok(s); };
  e->synchronize_all_activity = [](const SP_Device*, TF_Status* s) { Ok(s); };
  e->mem_zero = [](const SP_Device*, SP_Stream, SP_DeviceMemoryBase* at, uint64_t size, TF_Status* s) {
    std::memset(at->opaque, 0, size);
    Ok(s);
  };
  e->memset = [](const SP_Device*, SP_Stream, SP_DeviceMemoryBase* at, uint8_t pattern, uint64_t size,
                 TF_Status* s) {
    std::memset(at->opaque, pattern, size);
    Ok(s);
  };
  e->memset32 = [](const SP_Device*, SP_Stream, SP_DeviceMemoryBase* at, uint32_t pattern, uint64_t size,
                   TF_Status* s) {
    for (uint64_t i = 0; i < size / 4; ++i) static_cast<uint32_t*>(at->opaque)[i] = pattern;
    Ok(s);
  };
  e->host_callback = [](const SP_Device*, SP_Stream, SE_StatusCallbackFn callback, void* arg) -> TF_Bool {
    TF_Status* s = TF_NewStatus();
    callback(arg, s);
    TF_DeleteStatus(s);
    return true;
  };
  Ok(status);
}

void FillPlatform(SP_PlatformFns* fns) {
  fns->struct_size = SP_PLATFORM_FNS_STRUCT_SIZE;
  fns->get_device_count = [](const SP_Platform*, int* count, TF_Status* s) {
    *count = 2;
    Ok(s);
  };
  fns->create_device = [](const SP_Platform*, SE_CreateDeviceParams* params, TF_Status* s) {
    params->device->struct_size = SP_DEVICE_STRUCT_SIZE;
    params->device->ordinal = params->ordinal;
    params->device->hardware_name = "the host";
    params->device->device_vendor = "the tests";
    params->device->pci_bus_id = "";
    Ok(s);
  };
  fns->destroy_device = [](const SP_Platform*, SP_Device*) {};
  fns->create_device_fns = [](const SP_Platform*, SE_CreateDeviceFnsParams* params, TF_Status* s) {
    params->device_fns->struct_size = SP_DEVICE_FNS_STRUCT_SIZE;
    params->device_fns->get_numa_node = [](const SP_Device*) { return int32_t{-1}; };
    params->device_fns->get_memory_bandwidth = [](const SP_Device*) { return int64_t{-1}; };
    params->device_fns->get_gflops = [](const SP_Device*) { return -1.0; };
    Ok(s);
  };
  fns->destroy_device_fns = [](const SP_Platform*, SP_DeviceFns*) {};
  fns->create_stream_executor = FillExecutor;
  fns->destroy_stream_executor = [](const SP_Platform*, SP_StreamExecutor*) {};
  fns->create_timer_fns = [](const SP_Platform*, SP_TimerFns* timer, TF_Status* s) {
    timer->struct_size = SP_TIMER_FNS_STRUCT_SIZE;
    timer->nanoseconds = [](SP_Timer) { return uint64_t{0}; };
    Ok(s);
  };
  fns->destroy_timer_fns = [](const SP_Platform*, SP_TimerFns*) {};
}

void Negate(void*, TF_OpKernelContext* context) {
  TF_Status* status = TF_NewStatus();
  TF_Tensor* input = nullptr;
  TF_GetInput(context, 0, &input, status);
  int64_t dims[8];
  const int rank = TF_NumDims(input);
  for (int i = 0; i < rank; ++i) dims[i] = TF_Dim(input, i);
  TF_Tensor* output =
      TF_AllocateOutput(context, 0, TF_FLOAT, dims, rank, TF_TensorByteSize(input), status);
  const auto* from = static_cast<const float*>(TF_TensorData(input));
  auto* to = static_cast<float*>(TF_TensorData(output));
  for (size_t i = 0; i < TF_TensorByteSize(input) / sizeof(float); ++i) to[i] = -from[i];
  TF_DeleteTensor(input);
  TF_DeleteTensor(output);
  TF_DeleteStatus(status);
}

}  // namespace

extern "C" void SE_InitPlugin(SE_PlatformRegistrationParams* params, TF_Status* status) {
  params->platform->struct_size = SP_PLATFORM_STRUCT_SIZE;
  params->platform->name = kType;
  params->platform->type = kType;
  params->platform->use_bfc_allocator = true;
  params->platform->supports_unified_memory = false;
  params->platform->force_memory_growth = true;
  params->destroy_platform = [](SP_Platform*) {};
  params->destroy_platform_fns = [](SP_PlatformFns*) {};
  FillPlatform(params->platform_fns);
  Ok(status);
}

extern "C" void TF_InitKernel() {
  TF_KernelBuilder* builder = TF_NewKernelBuilder("Neg", kType, nullptr, Negate, nullptr);
  TF_Status* status = TF_NewStatus();
  TF_KernelBuilder_TypeConstraint(builder, "T", TF_FLOAT, status);
  TF_RegisterKernelBuilder("HostNeg", builder, status);
  TF_DeleteStatus(status);
}
