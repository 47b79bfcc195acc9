# linkfs.cmake - links a CMake project by linkfs, and makes plain files of what is still on the mount before anything is
# installed or packed (CMake copies a symbolic link as one).
#
#     cmake -C PREFIX/share/linkfs/cmake/linkfs.cmake -B build
#     cmake -D CMAKE_PROJECT_INCLUDE=PREFIX/share/linkfs/cmake/linkfs.cmake -B build
#
# It finds the programs by its own place. Where outputs go is for $LINKFS_MOUNT, `linkfs enable` or `linkfs run` to say.

if(NOT PROJECT_NAME) # by -C: there is no project yet
	set(CMAKE_PROJECT_INCLUDE "${CMAKE_CURRENT_LIST_FILE}" CACHE FILEPATH "links by linkfs")
	return()
endif()
if(NOT CMAKE_SOURCE_DIR STREQUAL PROJECT_SOURCE_DIR)
	return() # a project within the project has it all already
endif()
get_property(linkfs_is_included GLOBAL PROPERTY LINKFS_IS_INCLUDED)
if(linkfs_is_included)
	return()
endif()
set_property(GLOBAL PROPERTY LINKFS_IS_INCLUDED ON)

get_filename_component(linkfs_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
foreach(linkfs_part IN ITEMS bin/linkfs libexec/linkfs/ld)
	if(NOT EXISTS "${linkfs_prefix}/${linkfs_part}")
		message(FATAL_ERROR "linkfs.cmake: there is no ${linkfs_prefix}/${linkfs_part}: use the file where it is installed")
	endif()
endforeach()

# gcc and clang, as drivers of whatever language, look there for their linker first.
add_link_options("$<$<LINK_LANGUAGE:C,CXX,OBJC,OBJCXX,Fortran>:-B${linkfs_prefix}/libexec/linkfs/>")

# The first install rule of all: it runs before the others, whichever component is installed.
set(linkfs_code "execute_process(COMMAND \"${linkfs_prefix}/bin/linkfs\" materialize \"${CMAKE_BINARY_DIR}\" RESULT_VARIABLE status)
if(NOT status EQUAL 0)
	message(FATAL_ERROR \"linkfs materialize ${CMAKE_BINARY_DIR}: \${status}\")
endif()")
if(CMAKE_VERSION VERSION_LESS 3.21)
	install(CODE "${linkfs_code}")
else()
	install(CODE "${linkfs_code}" ALL_COMPONENTS)
endif()
