# The rules of CONVENTIONS.md that a machine can hold, each a test named lint.*, most of them a small
# Python script under tools/lint that reads sources only.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
find_program(CW_CXX_COMPILER NAMES c++ g++ clang++)
mark_as_advanced(CW_CXX_COMPILER)
if(NOT CW_CXX_COMPILER)
  set(CW_CXX_COMPILER "")
endif()

function(cw_lint name)
  add_test(NAME lint.${name} COMMAND ${ARGN})
  set_tests_properties(lint.${name} PROPERTIES TIMEOUT 60 LABELS lint
    ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endfunction()

set(lint ${PROJECT_SOURCE_DIR}/tools/lint)
cw_lint(layers ${CMAKE_COMMAND} -P ${PROJECT_SOURCE_DIR}/cmake/CheckLayers.cmake)
foreach(name IN ITEMS sizes banned includes unique todo doc patterns)
  cw_lint(${name} ${Python3_EXECUTABLE} ${lint}/${name}.py)
endforeach()
cw_lint(names ${Python3_EXECUTABLE} ${lint}/names.py $<TARGET_FILE:causeway_static>)
cw_lint(headers ${Python3_EXECUTABLE} ${lint}/headers.py ${CMAKE_C_COMPILER} ${CW_CXX_COMPILER})
cw_lint(errors ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/errors.py --check)
# The list of symbols is the whole library's: a build that leaves modules out cannot be compared.
if(EXISTS ${PROJECT_SOURCE_DIR}/tests/abi/abi.txt AND CW_WITH_IO
    AND CW_WITH_SCRIPT AND CW_WITH_DB AND CW_WITH_LLM AND CW_WITH_MODEL)
  cw_lint(abi ${Python3_EXECUTABLE} ${lint}/abi.py $<TARGET_FILE:causeway>)
endif()
add_custom_target(golden COMMAND ${Python3_EXECUTABLE} ${lint}/abi.py $<TARGET_FILE:causeway>
  --write COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/errors.py --write VERBATIM)
