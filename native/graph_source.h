// The JS class around a GraphDef's bytes (lib/native.ts: NativeGraphSource): listed once, then made into any
// number of sessions, each with devices of its own.
#pragma once

#include <memory>

#include "napi_setup.h"

namespace tf_session {

struct SourceGraph;

class GraphSource : public Napi::ObjectWrap<GraphSource> {
 public:
  static void Init(Napi::Env env);
  // JS thread: readGraph(bytes, kept, housekeeping) -> a promise of a GraphSource. Keeps the bytes' array
  // alive and reads it on worker threads: nobody may write to it any more.
  static Napi::Value Read(const Napi::CallbackInfo& info);

  explicit GraphSource(const Napi::CallbackInfo& info);

 private:
  Napi::Value Names(const Napi::CallbackInfo& info);
  Napi::Value Index(const Napi::CallbackInfo& info);
  Napi::Value CreateSession(const Napi::CallbackInfo& info);

  std::shared_ptr<SourceGraph> graph_;
};

}  // namespace tf_session
