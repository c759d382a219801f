// TF_Server: TensorFlow's own server for sessions of other processes (lib/native.ts: startServer).
#pragma once

#include "napi_setup.h"

namespace tf_session {

// JS thread: startServer(serverDef) -> a promise of its target, "grpc://host:port". It serves until the
// process ends: TensorFlow's servers can be neither stopped nor freed.
Napi::Value StartServer(const Napi::CallbackInfo& info);

}  // namespace tf_session
