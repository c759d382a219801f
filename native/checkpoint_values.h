// Tensors out of a checkpoint, for JavaScript.
#pragma once

#include "napi_setup.h"

namespace tf_session {

// JS thread. Takes an array of [path, offset, size, checksum]; a promise of their bytes, a Uint8Array each.
Napi::Value ReadCheckpoint(const Napi::CallbackInfo& info);

}  // namespace tf_session
