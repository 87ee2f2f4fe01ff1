# Turns CW_SANITIZE ("address,undefined", "thread", "memory") into flags for everything that follows.
if(CW_SANITIZE)
  add_compile_options(-fsanitize=${CW_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CW_SANITIZE})
  if(CW_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
