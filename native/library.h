// libtensorflow, opened at run time, once per process, never closed: its threads outlive every JS
// environment. Built with TF_SESSION_LINKED the addon is linked with one library instead, which comes with
// it; the same table is filled by the linker then.
//
// Each C function that the addon calls stands once in TF_SESSION_FUNCTIONS; its type comes from the library's
// own header, so a changed signature is a compile error. A function that older libraries lack is OPTIONAL,
// with the version that brought it: calling it there throws LIBRARY_TOO_OLD.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "error.h"
#include "tensorflow/c/c_api.h"
#include "tensorflow/c/c_api_experimental.h"

// clang-format off
#define TF_SESSION_FUNCTIONS(REQUIRED, OPTIONAL)                                                   \
  REQUIRED(TF_Version)                                                                             \
  REQUIRED(TF_NewStatus) REQUIRED(TF_DeleteStatus) REQUIRED(TF_GetCode) REQUIRED(TF_Message)       \
  REQUIRED(TF_NewBuffer) REQUIRED(TF_DeleteBuffer)                                                 \
  REQUIRED(TF_NewTensor) REQUIRED(TF_AllocateTensor) REQUIRED(TF_DeleteTensor)                     \
  REQUIRED(TF_TensorMaybeMove) REQUIRED(TF_TensorType) REQUIRED(TF_NumDims) REQUIRED(TF_Dim)       \
  REQUIRED(TF_TensorByteSize) REQUIRED(TF_TensorData) REQUIRED(TF_DataTypeSize)                    \
  REQUIRED(TF_NewGraph) REQUIRED(TF_DeleteGraph) REQUIRED(TF_GraphOperationByName)                 \
  REQUIRED(TF_NewImportGraphDefOptions) REQUIRED(TF_DeleteImportGraphDefOptions)                   \
  REQUIRED(TF_GraphImportGraphDef)                                                                 \
  REQUIRED(TF_GraphGetTensorNumDims) REQUIRED(TF_GraphGetTensorShape)                              \
  REQUIRED(TF_GraphNextOperation) REQUIRED(TF_OperationName) REQUIRED(TF_OperationNumOutputs)      \
  REQUIRED(TF_OperationOutputType)                                                                 \
  REQUIRED(TF_NewSessionOptions) REQUIRED(TF_DeleteSessionOptions) REQUIRED(TF_SetConfig)          \
  REQUIRED(TF_SetTarget)                                                                           \
  REQUIRED(TF_NewSession) REQUIRED(TF_LoadSessionFromSavedModel) REQUIRED(TF_SessionRun)           \
  REQUIRED(TF_CloseSession) REQUIRED(TF_DeleteSession)                                             \
  REQUIRED(TF_SessionListDevices) REQUIRED(TF_DeleteDeviceList) REQUIRED(TF_DeviceListCount)       \
  REQUIRED(TF_DeviceListName) REQUIRED(TF_DeviceListType) REQUIRED(TF_DeviceListMemoryBytes)       \
  REQUIRED(TF_LoadLibrary) REQUIRED(TF_GetOpList) OPTIONAL(TF_LoadPluggableDeviceLibrary, "2.5")   \
  OPTIONAL(TF_GetRegisteredKernelsForOp, "1.12") OPTIONAL(TF_RegisterLogListener, "1.14")          \
  OPTIONAL(TF_NewServer, "1.13") OPTIONAL(TF_ServerStart, "1.13") OPTIONAL(TF_ServerTarget, "1.13") \
  OPTIONAL(TF_StringInit, "2.4") OPTIONAL(TF_StringCopy, "2.4")                                    \
  OPTIONAL(TF_StringGetDataPointer, "2.4") OPTIONAL(TF_StringGetSize, "2.4")                       \
  OPTIONAL(TF_StringDealloc, "2.4")
// clang-format on

namespace tf_session {

// A C function that may be missing. Calling a missing one throws, as Require() does; `if (f)` asks.
template <typename F>
struct OptionalFunction {
  F pointer = nullptr;
  const char* name = "";
  const char* since = "";

  explicit operator bool() const { return pointer != nullptr; }

  void Require() const {
    if (pointer != nullptr) return;
    throw Error(kLibraryTooOld, std::string("The opened libtensorflow has no ") + name +
                                    "; it needs TensorFlow " + since + " or later.");
  }

  template <typename... Args>
  decltype(auto) operator()(Args&&... args) const {
    Require();
    return pointer(std::forward<Args>(args)...);
  }
};

struct Functions {
#define TF_SESSION_REQUIRED(name) decltype(&::name) name = nullptr;
#define TF_SESSION_OPTIONAL(name, since) OptionalFunction<decltype(&::name)> name{nullptr, #name, since};
  TF_SESSION_FUNCTIONS(TF_SESSION_REQUIRED, TF_SESSION_OPTIONAL)
#undef TF_SESSION_REQUIRED
#undef TF_SESSION_OPTIONAL
};

// The functions of the opened library. Only to be called once OpenLibrary has succeeded; any thread.
const Functions& tf();

struct LibraryInfo {
  std::string path;
  std::string version;
  // Optional functions that this library lacks.
  std::vector<std::string> missing;
};

// Opens the library; slow (0.3 to 1 s), so for worker threads. A second call with the same path does nothing,
// with another path it throws. `log_level` (0 to 3, -1 to leave it) counts only for the call that really
// opens.
void OpenLibrary(const std::string& path, int log_level);

// The file that the addon is linked with; empty where it opens what it is told. Any thread.
std::string LinkedLibrary();

// nullptr as long as none is open. Any thread.
const LibraryInfo* OpenedLibrary();

}  // namespace tf_session
