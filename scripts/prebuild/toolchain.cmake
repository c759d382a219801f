# Zig as the compiler, for the target that scripts/prebuild/node-gyp.mjs names in the environment.
set(CMAKE_SYSTEM_NAME $ENV{TF_SESSION_SYSTEM})
set(CMAKE_SYSTEM_PROCESSOR $ENV{TF_SESSION_PROCESSOR})
set(CMAKE_CXX_COMPILER $ENV{TF_SESSION_ZIG} c++)
set(CMAKE_CXX_COMPILER_TARGET $ENV{TF_SESSION_TARGET})
# Stripped by the linker: this machine's own strip may not know the target.
set(CMAKE_MODULE_LINKER_FLAGS_INIT "-s -Wl,--gc-sections")
# What this machine has is for this machine.
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
