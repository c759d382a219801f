// Stands for libgcc_s at link time: an addon that is shipped takes the process's unwinder from there, as Node and
// TensorFlow do. With the one that Zig would put into it, an exception of TensorFlow's that reaches one of the addon's
// functions would be handed to the wrong unwinder, which ends the process. Nothing here is ever called.
#define FUNCTION(name) \
  extern "C" __attribute__((visibility("default"))) void name() {}

FUNCTION(_Unwind_Backtrace)
FUNCTION(_Unwind_DeleteException)
FUNCTION(_Unwind_GetCFA)
FUNCTION(_Unwind_GetDataRelBase)
FUNCTION(_Unwind_GetGR)
FUNCTION(_Unwind_GetIP)
FUNCTION(_Unwind_GetIPInfo)
FUNCTION(_Unwind_GetLanguageSpecificData)
FUNCTION(_Unwind_GetRegionStart)
FUNCTION(_Unwind_GetTextRelBase)
FUNCTION(_Unwind_RaiseException)
FUNCTION(_Unwind_Resume)
FUNCTION(_Unwind_Resume_or_Rethrow)
FUNCTION(_Unwind_SetGR)
FUNCTION(_Unwind_SetIP)
