// Shared objects with further ops and kernels, or devices: loaded by TensorFlow's own functions, once per
// process, never unloaded.
#pragma once

#include "napi_setup.h"

namespace tf_session {

// JS thread: loadOpLibrary(path, needed) and loadPluggableDevice(path, needed) of lib/native.ts.
Napi::Value LoadOpLibrary(const Napi::CallbackInfo& info);
Napi::Value LoadPluggableDevice(const Napi::CallbackInfo& info);

}  // namespace tf_session
