// The devices of a session, by TensorFlow's own listing.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "napi_setup.h"
#include "session.h"

namespace tf_session {

// JS thread. A promise of an array of { name, type, memoryBytes }.
Napi::Value ListDevices(Napi::Env env, std::shared_ptr<OpenSession> session);

// The same of a fresh, empty session with this ConfigProto, in this process or on the server at `target`,
// which is closed again.
Napi::Value ListDevicesOf(Napi::Env env, std::optional<Bytes> config, std::string target);

}  // namespace tf_session
