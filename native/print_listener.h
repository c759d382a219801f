// What models print (tf.print), handed to the JS environments that listen.
//
// TensorFlow gives it to a function, for good: there is no way to take that back. So where nobody listens any
// more it is written to stderr, where most of it would have gone. Called on TensorFlow's threads; listeners
// come and go on JS threads.
#pragma once

#include "napi_setup.h"

namespace tf_session {

// Calls a function with each text from now on, until the environment ends or StopListening. Holds no process
// open. Throws LIBRARY_TOO_OLD before TensorFlow 1.14. One a environment; JS thread.
void ListenToPrints(const Napi::CallbackInfo& info);

// JS thread; may be called when nobody listens.
void StopListening(napi_env env);

}  // namespace tf_session
