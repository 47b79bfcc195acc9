# debian.cmake - what a Debian package has otherwise than an installation: CPack runs it over the tree to be packed.
file(GLOB_RECURSE pages LIST_DIRECTORIES false "${CPACK_TEMPORARY_DIRECTORY}/*/share/man/*.[158]")
foreach(page IN LISTS pages)
	execute_process(COMMAND gzip -9n "${page}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()

file(GLOB_RECURSE doc LIST_DIRECTORIES false "${CPACK_TEMPORARY_DIRECTORY}/*/share/doc/*/LICENSE")
foreach(license IN LISTS doc)
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
file(GLOB_RECURSE completions LIST_DIRECTORIES false "${CPACK_TEMPORARY_DIRECTORY}/*/share/zsh/site-functions/_*")
foreach(completion IN LISTS completions)
	string(REPLACE "/site-functions/" "/vendor-completions/" place "${completion}")
	get_filename_component(from "${completion}" DIRECTORY)
	get_filename_component(to "${place}" DIRECTORY)
	file(MAKE_DIRECTORY "${to}")
	file(RENAME "${completion}" "${place}")
	file(REMOVE "${from}")
endforeach()

# A library is no program.
file(GLOB_RECURSE libraries LIST_DIRECTORIES false "${CPACK_TEMPORARY_DIRECTORY}/*/lib/linkfs/*.so")
foreach(library IN LISTS libraries)
	file(CHMOD "${library}" FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endforeach()
