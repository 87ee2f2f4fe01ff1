# The warnings that every target of ours is compiled with: an interface library, cw_warnings.
add_library(cw_warnings INTERFACE)
target_compile_options(cw_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
    -Wmissing-prototypes -Wvla>)
if(CW_WERROR)
  target_compile_options(cw_warnings INTERFACE $<$<COMPILE_LANGUAGE:C>:-Werror>)
endif()
