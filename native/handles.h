// Owners of TensorFlow's objects: each frees by the function that TensorFlow names for it. No bare delete
// anywhere.
#pragma once

#include <memory>

#include "library.h"

namespace tf_session {

#define TF_SESSION_HANDLE(Name, Type, Free)                      \
  struct Name##Deleter {                                         \
    void operator()(Type* pointer) const { tf().Free(pointer); } \
  };                                                             \
  using Name = std::unique_ptr<Type, Name##Deleter>;

TF_SESSION_HANDLE(StatusPtr, TF_Status, TF_DeleteStatus)
TF_SESSION_HANDLE(BufferPtr, TF_Buffer, TF_DeleteBuffer)
TF_SESSION_HANDLE(GraphPtr, TF_Graph, TF_DeleteGraph)
TF_SESSION_HANDLE(ImportGraphDefOptionsPtr, TF_ImportGraphDefOptions, TF_DeleteImportGraphDefOptions)
TF_SESSION_HANDLE(SessionOptionsPtr, TF_SessionOptions, TF_DeleteSessionOptions)
TF_SESSION_HANDLE(DeviceListPtr, TF_DeviceList, TF_DeleteDeviceList)

#undef TF_SESSION_HANDLE

// Frees the strings in it, too; in string_layout.cc.
struct TensorDeleter {
  void operator()(TF_Tensor* tensor) const;
};
using TensorPtr = std::unique_ptr<TF_Tensor, TensorDeleter>;

}  // namespace tf_session
