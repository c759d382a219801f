#include "status.h"

#include "env_data.h"

namespace tf_session {

void Status::Check() const {
  if (ok()) return;
  throw Error(tf().TF_GetCode(status_.get()), tf().TF_Message(status_.get()));
}

Napi::Value ErrorToJs(Napi::Env env, const Error& error) {
  const Napi::Value code = error.own_code() != nullptr ? Napi::Value(Napi::String::New(env, error.own_code()))
                                                       : Napi::Value(Napi::Number::New(env, error.tf_code()));
  return EnvData::Of(env).error_class().New({code, Napi::String::New(env, error.what())});
}

void ThrowJs(Napi::Env env, const Error& error) { throw Napi::Error(env, ErrorToJs(env, error)); }

}  // namespace tf_session
