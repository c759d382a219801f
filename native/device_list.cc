#include "device_list.h"

#include <string>
#include <utility>
#include <vector>

#include "session_options.h"
#include "status.h"

namespace tf_session {
namespace {

std::vector<DeviceInfo> DevicesOf(TF_Session* session) {
  const Status status;
  const DeviceListPtr list(tf().TF_SessionListDevices(session, status));
  status.Check();
  std::vector<DeviceInfo> devices;
  for (int i = 0; i < tf().TF_DeviceListCount(list.get()); ++i) {
    DeviceInfo device;
    device.name = tf().TF_DeviceListName(list.get(), i, status);
    status.Check();
    device.type = tf().TF_DeviceListType(list.get(), i, status);
    status.Check();
    device.memory_bytes = tf().TF_DeviceListMemoryBytes(list.get(), i, status);
    status.Check();
    devices.push_back(std::move(device));
  }
  return devices;
}

class DevicesWorker : public PromiseWorker {
 public:
  explicit DevicesWorker(std::shared_ptr<OpenSession> session) : session_(std::move(session)) {}
  DevicesWorker(std::optional<Bytes> config, std::string target)
      : config_(std::move(config)), target_(std::move(target)) {}

 private:
  void Started() override {
    if (session_) session_->BeginRun();
  }

  void Work() override {
    if (session_) {
      devices_ = DevicesOf(session_->core()->session());
      return;
    }
    devices_ = DevicesWith(config_, target_);
  }

  Napi::Value Result(Napi::Env env) override {
    const Napi::Array array = Napi::Array::New(env, devices_.size());
    for (uint32_t i = 0; i < devices_.size(); ++i) {
      const Napi::Object device = Napi::Object::New(env);
      device.Set("name", devices_[i].name);
      device.Set("type", devices_[i].type);
      device.Set("memoryBytes", static_cast<double>(devices_[i].memory_bytes));
      array.Set(i, device);
    }
    return array;
  }

  void Finished() override {
    if (session_) session_->EndRun();
  }

  std::shared_ptr<OpenSession> session_;
  std::optional<Bytes> config_;
  std::string target_;
  std::vector<DeviceInfo> devices_;
};

}  // namespace

std::vector<DeviceInfo> DevicesWith(const std::optional<Bytes>& config, const std::string& target) {
  const SessionOptionsPtr options = MakeSessionOptions(config, target);
  GraphPtr graph(tf().TF_NewGraph());
  const Status status;
  TF_Session* session = tf().TF_NewSession(graph.get(), options.get(), status);
  status.Check();
  const std::shared_ptr<SessionCore> core = SessionCore::Make(
      std::move(graph), session, {}, target.empty() ? Whereabouts::kHere : Whereabouts::kElsewhere);
  return DevicesOf(session);
}

Napi::Value ListDevices(Napi::Env env, std::shared_ptr<OpenSession> session) {
  const PromiseWorker::Gate gate =
      session->core()->is_remote() ? PromiseWorker::Gate::kOwnThread : PromiseWorker::Gate::kFree;
  return PromiseWorker::Start(env, std::make_unique<DevicesWorker>(std::move(session)), gate);
}

Napi::Value ListDevicesOf(Napi::Env env, std::optional<Bytes> config, std::string target) {
  const PromiseWorker::Gate gate =
      target.empty() ? PromiseWorker::Gate::kFree : PromiseWorker::Gate::kOwnThread;
  return PromiseWorker::Start(env, std::make_unique<DevicesWorker>(std::move(config), std::move(target)),
                              gate);
}

}  // namespace tf_session
