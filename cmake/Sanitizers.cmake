# Turns CW_SANITIZE ("address,undefined", "thread", "memory") into flags for everything that follows.
if(CW_SANITIZE)
  add_compile_options(-fsanitize=${CW_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CW_SANITIZE})
  if(CW_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
# The fuzzers steer by the edges that an input takes: the library is built with counters for them.
if(CW_FUZZ AND CMAKE_C_COMPILER_ID MATCHES "Clang")
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
