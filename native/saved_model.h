// A SavedModel by TensorFlow's own loader: read, import, session and restore in one call.
#pragma once

#include "napi_setup.h"

namespace tf_session {

// JS thread: loadSavedModel(directory, tags, config, runOptions) -> a promise of lib/native.ts's NativeLoad.
Napi::Value LoadSavedModel(const Napi::CallbackInfo& info);

}  // namespace tf_session
