# Installs BUILD below SCRATCH, then builds every example against the installed tree twice and runs it: with
# pkg-config and the compiler alone, and as a CMake project that says find_package(causeway).
file(REMOVE_RECURSE ${SCRATCH})
file(MAKE_DIRECTORY ${SCRATCH})
set(root ${SCRATCH}/root)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}\nended with ${status}:\n${text}")
  endif()
  set(output "${text}" PARENT_SCOPE)
endfunction()

function(run_example program name)
  execute_process(COMMAND ${CMAKE_COMMAND} -DPROGRAM=${program} -DEXPECTED=${SOURCE}/${name}.expected
    -P ${SOURCE}/check.cmake RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${program} does not print ${name}.expected")
  endif()
endfunction()

run(${CMAKE_COMMAND} -E env DESTDIR=${root} ${CMAKE_COMMAND} --install ${BUILD})
set(ENV{LD_LIBRARY_PATH} ${root}${PREFIX}/${LIBDIR})

# pkg-config, with the prefix moved to where DESTDIR put it
set(ENV{PKG_CONFIG_PATH} ${root}${PREFIX}/${LIBDIR}/pkgconfig)
set(moved --define-variable=prefix=${root}${PREFIX})
run(pkg-config ${moved} --cflags --libs causeway)
separate_arguments(shared UNIX_COMMAND "${output}")
separate_arguments(flags UNIX_COMMAND "${FLAGS}")
foreach(name IN LISTS NAMES)
  run(${COMPILER} -std=c11 ${flags} ${SOURCE}/${name}.c -o ${SCRATCH}/${name} ${shared})
  run_example(${SCRATCH}/${name} ${name})
endforeach()

# the same against the static library: what Requires.private names is linked from the system's shared libraries,
# whose own private needs are theirs
run(pkg-config ${moved} --print-requires-private causeway)
string(STRIP "${output}" words)
string(REGEX REPLACE "[ \n]+" ";" words "${words}")
run(pkg-config --libs ${words})
separate_arguments(outside UNIX_COMMAND "${output}")
file(STRINGS ${root}${PREFIX}/${LIBDIR}/pkgconfig/causeway.pc private REGEX "^Libs.private:")
string(REPLACE "Libs.private:" "" private "${private}")
separate_arguments(private UNIX_COMMAND "${private}")
list(GET NAMES 0 name)
run(${COMPILER} -std=c11 ${flags} -I${root}${PREFIX}/include ${SOURCE}/${name}.c -o ${SCRATCH}/${name}_static
  ${root}${PREFIX}/${LIBDIR}/libcauseway.a ${outside} ${private})
run_example(${SCRATCH}/${name}_static ${name})

# CMake
set(project ${SCRATCH}/project)
set(text "cmake_minimum_required(VERSION 3.25)\nproject(client LANGUAGES C)\n")
string(APPEND text "find_package(causeway 0.1 REQUIRED)\n")
foreach(name IN LISTS NAMES)
  string(APPEND text "add_executable(${name} ${SOURCE}/${name}.c)\n"
    "target_link_libraries(${name} PRIVATE causeway::causeway)\n")
endforeach()
list(GET NAMES 0 name)
string(APPEND text "add_executable(${name}_static ${SOURCE}/${name}.c)\n"
  "target_link_libraries(${name}_static PRIVATE causeway::causeway_static)\n")
file(WRITE ${project}/CMakeLists.txt "${text}")
run(${CMAKE_COMMAND} -S ${project} -B ${project}/build -G Ninja -DCMAKE_C_COMPILER=${COMPILER}
  "-DCMAKE_C_FLAGS=${FLAGS}" -Dcauseway_DIR=${root}${PREFIX}/${LIBDIR}/cmake/causeway)
run(${CMAKE_COMMAND} --build ${project}/build)
foreach(built IN LISTS NAMES ITEMS ${name}_static)
  string(REPLACE "_static" "" expected ${built})
  run_example(${project}/build/${built} ${expected})
endforeach()
