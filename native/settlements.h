// The sessions that settled something for the whole process: threads, GPUs. Which fields those are, and what
// follows, is decided in JavaScript (lib/config/process.ts); the list is here, where all threads of the
// process see it.
#pragma once

#include "napi_setup.h"

namespace tf_session {

// JS thread. (known: number, config: Uint8Array | undefined, who: string): a promise of whether an empty
// session with this ConfigProto was made, and put into the list: not where the list has become longer than
// `known`. One at a time.
Napi::Value Settle(const Napi::CallbackInfo& info);

// JS thread. The list, in order: { config, who, deviceTypes, cpus }.
Napi::Value Settlements(const Napi::CallbackInfo& info);

}  // namespace tf_session
