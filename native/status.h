// TF_Status: made, checked and turned into an error here and nowhere else.
#pragma once

#include "handles.h"
#include "napi_setup.h"

namespace tf_session {

class Status {
 public:
  Status() : status_(tf().TF_NewStatus()) {}
  // For the `status` argument of a C call.
  // NOLINTNEXTLINE(google-explicit-constructor)
  operator TF_Status*() const { return status_.get(); }
  [[nodiscard]] bool ok() const { return tf().TF_GetCode(status_.get()) == TF_OK; }
  // Throws Error with TensorFlow's code and message when the last call failed. Any thread.
  void Check() const;

 private:
  StatusPtr status_;
};

// A TensorFlowError (lib/errors.ts) for JavaScript. JS thread only.
Napi::Value ErrorToJs(Napi::Env env, const Error& error);

// Throws it in JavaScript. JS thread only.
[[noreturn]] void ThrowJs(Napi::Env env, const Error& error);

}  // namespace tf_session
