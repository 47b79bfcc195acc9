# debian.cmake - what a Debian package has otherwise than an installation: CPack runs it over the tree to be packed.
file(GLOB_RECURSE files LIST_DIRECTORIES false "${CPACK_TEMPORARY_DIRECTORY}/*")

set(pages ${files})
list(FILTER pages INCLUDE REGEX "/share/man/man[0-9]/[^/]*$")
foreach(page IN LISTS pages)
	if(IS_SYMLINK "${page}")
		file(READ_SYMLINK "${page}" target)
		file(REMOVE "${page}")
		file(CREATE_LINK "${target}.gz" "${page}.gz" SYMBOLIC)
	else()
		execute_process(COMMAND gzip -9n "${page}" COMMAND_ERROR_IS_FATAL ANY)
	endif()
endforeach()

set(licenses ${files})
list(FILTER licenses INCLUDE REGEX "/share/doc/[^/]*/LICENSE$")
foreach(license IN LISTS licenses)
	get_filename_component(dir "${license}" DIRECTORY)
	file(READ "${license}" text)
	string(REGEX MATCH "Copyright[^\n]*" holder "${text}")
	string(REGEX REPLACE "^[^\n]*\n\n[^\n]*\n\n" "" text "${text}")
	string(STRIP "${text}" text)
	string(REPLACE "\n\n" "\n.\n" text "${text}")
	string(REPLACE "\n" "\n " text "${text}")
	string(REPLACE "Copyright (c)" "" holder "${holder}")
	string(STRIP "${holder}" holder)
	file(WRITE "${dir}/copyright" "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: linkfs

Files: *
Copyright: ${holder}
License: Expat
 ${text}
")
	file(REMOVE "${license}")
	string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
	file(WRITE "${dir}/changelog" "linkfs (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * Built by CPack; what is new is told in CHANGELOG.md.

 -- ${CPACK_PACKAGE_CONTACT}  ${now}
")
	execute_process(COMMAND gzip -9n "${dir}/changelog" COMMAND_ERROR_IS_FATAL ANY)
	file(CHMOD "${dir}/copyright" "${dir}/changelog.gz"
		FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endforeach()

# Where Debian's zsh looks.
set(completions ${files})
list(FILTER completions INCLUDE REGEX "/share/zsh/site-functions/")
foreach(completion IN LISTS completions)
	string(REPLACE "/site-functions/" "/vendor-completions/" place "${completion}")
	get_filename_component(from "${completion}" DIRECTORY)
	get_filename_component(to "${place}" DIRECTORY)
	file(MAKE_DIRECTORY "${to}")
	file(RENAME "${completion}" "${place}")
	file(REMOVE_RECURSE "${from}")
endforeach()

# A library is no program.
set(libraries ${files})
list(FILTER libraries INCLUDE REGEX "/lib/linkfs/run/[^/]*[.]so$")
foreach(library IN LISTS libraries)
	file(CHMOD "${library}" FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endforeach()

# dpkg has a list of its own.
foreach(file IN LISTS files)
	if(file MATCHES "/share/linkfs/installed$")
		file(REMOVE "${file}")
	endif()
endforeach()
