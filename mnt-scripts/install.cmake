# install.cmake - what is installed beside the programs: manual pages, completion, the user service, fstab's helper; and how
# CPack makes a Debian package of all that. Part of CMakeLists.txt.

string(TIMESTAMP page_date "%Y-%m-%d" UTC) # SOURCE_DATE_EPOCH is heeded
set(place_script "${CMAKE_CURRENT_LIST_DIR}/place.cmake")
set(place_names "-DVERSION=${PROJECT_VERSION}" "-DDATE=${page_date}" "-DBINDIR=${CMAKE_INSTALL_BINDIR}"
	"-DSBINDIR=${CMAKE_INSTALL_SBINDIR}" "-DLIBEXECDIR=${CMAKE_INSTALL_LIBEXECDIR}")
set(placed "")

# place(TEMPLATE TO): made below the build's folder now and below the prefix at installation, whose directories it names.
function(place template to)
	list(JOIN place_names " " names)
	add_custom_command(OUTPUT "${PROJECT_BINARY_DIR}/${to}"
		COMMAND "${CMAKE_COMMAND}" "-DFROM=${template}" "-DTO=${PROJECT_BINARY_DIR}/${to}"
			"-DPREFIX=${CMAKE_INSTALL_PREFIX}" ${place_names} -P "${place_script}"
		DEPENDS "${template}" "${place_script}" VERBATIM)
	set(placed ${placed} "${PROJECT_BINARY_DIR}/${to}" PARENT_SCOPE)
	install(CODE "execute_process(COMMAND \"${CMAKE_COMMAND}\" \"-DFROM=${template}\"
		\"-DTO=\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${to}\" \"-DPREFIX=\${CMAKE_INSTALL_PREFIX}\" ${names}
		-P \"${place_script}\" COMMAND_ERROR_IS_FATAL ANY)
		list(APPEND CMAKE_INSTALL_MANIFEST_FILES \"\${CMAKE_INSTALL_PREFIX}/${to}\")")
endfunction()

configure_file("${CMAKE_CURRENT_LIST_DIR}/uninstall" "${PROJECT_BINARY_DIR}/libexec/linkfs/uninstall" COPYONLY)
install(PROGRAMS "${CMAKE_CURRENT_LIST_DIR}/uninstall" DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}/linkfs")

# The linker's options are in its page because the page is made of them.
add_executable(options_page "${CMAKE_CURRENT_LIST_DIR}/man/options_page.c")
target_include_directories(options_page PRIVATE "${PROJECT_SOURCE_DIR}/linker/input")
set_target_properties(options_page PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/generated")
add_custom_command(OUTPUT "${PROJECT_BINARY_DIR}/generated/ld.linkfs.1.in"
	COMMAND options_page "${CMAKE_CURRENT_LIST_DIR}/man/ld.linkfs.1.in" >"${PROJECT_BINARY_DIR}/generated/ld.linkfs.1.in"
	DEPENDS options_page "${CMAKE_CURRENT_LIST_DIR}/man/ld.linkfs.1.in")

place("${PROJECT_BINARY_DIR}/generated/ld.linkfs.1.in" "${CMAKE_INSTALL_MANDIR}/man1/ld.linkfs.1")
place("${CMAKE_CURRENT_LIST_DIR}/man/linkfs.1.in" "${CMAKE_INSTALL_MANDIR}/man1/linkfs.1")
place("${CMAKE_CURRENT_LIST_DIR}/man/linkfs.5.in" "${CMAKE_INSTALL_MANDIR}/man5/linkfs.5")
place("${CMAKE_CURRENT_LIST_DIR}/man/mount.linkfs.8.in" "${CMAKE_INSTALL_MANDIR}/man8/mount.linkfs.8")
place("${CMAKE_CURRENT_LIST_DIR}/linkfs.service.in" "lib/systemd/user/linkfs.service")
place("${CMAKE_CURRENT_LIST_DIR}/mount.linkfs.in" "${CMAKE_INSTALL_SBINDIR}/mount.linkfs")
add_custom_target(pages ALL DEPENDS ${placed})

# links(DIR NAME TARGET): a symbolic link, in the build's folder and installed.
function(links dir name target)
	file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/${dir}")
	file(CREATE_LINK "${target}" "${PROJECT_BINARY_DIR}/${dir}/${name}" SYMBOLIC)
	install(FILES "${PROJECT_BINARY_DIR}/${dir}/${name}" DESTINATION "${dir}")
endfunction()
links("${CMAKE_INSTALL_SBINDIR}" umount.fuse.linkfs mount.linkfs)
links("${CMAKE_INSTALL_MANDIR}/man8" umount.fuse.linkfs.8 mount.linkfs.8)

set(completions "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
install(FILES "${CMAKE_CURRENT_LIST_DIR}/completion/linkfs.bash" DESTINATION "${completions}" RENAME linkfs)
links("${completions}" ld.linkfs linkfs)
install(FILES "${CMAKE_CURRENT_LIST_DIR}/completion/_linkfs" DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")

install(CODE "include(\"${CMAKE_CURRENT_LIST_DIR}/installed.cmake\")") # the last one; the first is in CMakeLists.txt

# --- the Debian package: cpack -G DEB -------------------------------------------------------------------------------

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME linkfs)
set(CPACK_PACKAGE_VENDOR linkfs)
set(LINKFS_MAINTAINER "The linkfs authors <linkfs@noreply.invalid>" CACHE STRING "Whom a package names as its maintainer")
set(CPACK_PACKAGE_CONTACT "${LINKFS_MAINTAINER}")
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
	WORLD_READ WORLD_EXECUTE)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL Unspecified) # not the library
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/debian.cmake")
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_NAME linkfs)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS fuse3)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "gcc | clang")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "filesystem in which linked programs simply exist")
set(CPACK_DEBIAN_UNSPECIFIED_DESCRIPTION
"linkfs makes the link of the edit-build-run loop take milliseconds: a mount
holds ld command lines, each appears as an ordinary executable, and its
bytes are made when somebody reads them. The package has the mount, and
ld.linkfs, a linker that puts a build's programs there, or writes ordinary
files with the same bytes.")
include(CPack)
