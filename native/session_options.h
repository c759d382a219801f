// TF_SessionOptions from a serialized ConfigProto and a target. Any thread.
#pragma once

#include <optional>
#include <string>

#include "session_core.h"
#include "status.h"

namespace tf_session {

// `target`: "grpc://host:port" of a server, or empty for this process. Throws INVALID_ARGUMENT where
// TensorFlow cannot parse the bytes.
inline SessionOptionsPtr MakeSessionOptions(const std::optional<Bytes>& config,
                                            const std::string& target = "") {
  SessionOptionsPtr options(tf().TF_NewSessionOptions());
  if (config) {
    const Status status;
    tf().TF_SetConfig(options.get(), config->data(), config->size(), status);
    status.Check();
  }
  if (!target.empty()) tf().TF_SetTarget(options.get(), target.c_str());
  return options;
}

}  // namespace tf_session
