# Build rules shared by the folders.

add_library(tinynas_options INTERFACE)
target_compile_options(tinynas_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns of overlap in "text" + std::string (its bug 105651).
  target_compile_options(tinynas_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()
if(TINYNAS_WERROR)
  target_compile_options(tinynas_options INTERFACE -Werror)
endif()
if(TINYNAS_SANITIZE)
  target_compile_options(tinynas_options INTERFACE -fsanitize=${TINYNAS_SANITIZE} -fno-sanitize-recover=all
                                                   -fno-omit-frame-pointer)
  target_link_options(tinynas_options INTERFACE -fsanitize=${TINYNAS_SANITIZE})
endif()

# tinynas_library(NAME LIBRARIES...): the static library tinynas_NAME of all sources below the current folder.
function(tinynas_library name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_library(tinynas_${name} STATIC ${sources})
  target_include_directories(tinynas_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(tinynas_${name} PUBLIC ${ARGN} PRIVATE tinynas_options)
endfunction()

# tinynas_test(FOLDER LIBRARIES...): one GoogleTest program of all tests in tests/cpp/FOLDER.
function(tinynas_test folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${folder} ${sources})
  target_include_directories(test_${folder} PRIVATE ${PROJECT_SOURCE_DIR}/tests/cpp)
  target_compile_definitions(test_${folder} PRIVATE TINYNAS_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(test_${folder} PRIVATE ${ARGN} tinynas_options GTest::gtest_main GTest::gmock)
  gtest_discover_tests(test_${folder} DISCOVERY_TIMEOUT 60)
endfunction()

# LibTorch of the installed torch package, if there is one. The pinned version is that of pyproject.toml.
macro(tinynas_find_torch)
  execute_process(
    COMMAND ${Python_EXECUTABLE} -c "import torch; print(torch.utils.cmake_prefix_path)"
    OUTPUT_VARIABLE TINYNAS_TORCH_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(TINYNAS_TORCH_PREFIX)
    list(APPEND CMAKE_PREFIX_PATH ${TINYNAS_TORCH_PREFIX})
    find_package(Torch REQUIRED)
    find_library(TORCH_PYTHON_LIBRARY torch_python PATHS ${TORCH_INSTALL_PREFIX}/lib NO_DEFAULT_PATH REQUIRED)
  else()
    message(STATUS "PyTorch is not installed for ${Python_EXECUTABLE}: the supernet is left out")
  endif()
endmacro()
