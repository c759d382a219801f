// TF_SessionOptions from a serialized ConfigProto. Any thread.
#pragma once

#include <optional>

#include "session_core.h"
#include "status.h"

namespace tf_session {

// Throws INVALID_ARGUMENT where TensorFlow cannot parse the bytes.
inline SessionOptionsPtr MakeSessionOptions(const std::optional<Bytes>& config) {
  SessionOptionsPtr options(tf().TF_NewSessionOptions());
  if (config) {
    const Status status;
    tf().TF_SetConfig(options.get(), config->data(), config->size(), status);
    status.Check();
  }
  return options;
}

}  // namespace tf_session
