# The room `server`, and the libraries that it alone links.
find_package(OpenSSL REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_library(HIREDIS hiredis REQUIRED)  # by pkg-config, its flags would differ from those of precompiled headers
find_path(BOOST_BEAST boost/beast.hpp REQUIRED)  # header only, beside the compiler's own
find_package(Protobuf REQUIRED)
find_program(GRPC_PLUGIN grpc_cpp_plugin REQUIRED)
foreach(library grpc++ grpc++_reflection grpc gpr absl_synchronization)
  find_library(found_${library} ${library} REQUIRED)
  list(APPEND GRPC ${found_${library}})
endforeach()

# What protoc makes of proto/: a library of its own, which few files see.
set(proto pagoda/v1/retrieval)
set(generated "${PROJECT_BINARY_DIR}/proto")
foreach(kind pb grpc.pb)
  list(APPEND generated_files "${generated}/${proto}.${kind}.cc" "${generated}/${proto}.${kind}.h")
endforeach()
file(MAKE_DIRECTORY "${generated}")
add_custom_command(
  OUTPUT ${generated_files}
  COMMAND protobuf::protoc "--proto_path=${PROJECT_SOURCE_DIR}/proto" "--cpp_out=${generated}" "--grpc_out=${generated}"
          "--plugin=protoc-gen-grpc=${GRPC_PLUGIN}" "${proto}.proto"
  DEPENDS "${PROJECT_SOURCE_DIR}/proto/${proto}.proto" VERBATIM)
add_library(pagoda_proto STATIC ${generated_files})
target_include_directories(pagoda_proto SYSTEM PUBLIC "${generated}")
target_link_libraries(pagoda_proto PUBLIC ${GRPC} protobuf::libprotobuf)

pagoda_room(server pagoda_retrieval pagoda_proto prometheus-cpp::core ${HIREDIS} OpenSSL::SSL OpenSSL::Crypto)
foreach(target pagoda_proto pagoda_server)  # what protoc made names its file where a check fails
  target_compile_options(${target} PRIVATE "-fmacro-prefix-map=${PROJECT_BINARY_DIR}/=")
endforeach()
if(PAGODA_UI)
  include(Page)
endif()
