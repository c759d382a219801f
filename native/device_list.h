// The devices of a session, by TensorFlow's own listing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "napi_setup.h"
#include "session.h"

namespace tf_session {

struct DeviceInfo {
  std::string name;
  std::string type;
  int64_t memory_bytes;
};

// Any thread. Those of a fresh, empty session with this ConfigProto, in this process or on the server at
// `target`, which is closed again.
std::vector<DeviceInfo> DevicesWith(const std::optional<Bytes>& config, const std::string& target);

// JS thread. A promise of an array of { name, type, memoryBytes }.
Napi::Value ListDevices(Napi::Env env, std::shared_ptr<OpenSession> session);

// JS thread. The same of DevicesWith().
Napi::Value ListDevicesOf(Napi::Env env, std::optional<Bytes> config, std::string target);

}  // namespace tf_session
