# installed.cmake - run by cmake --install, before all else and after: PREFIX/share/linkfs/installed lists what was made below
# the prefix, files, and folders (with a slash) that were not there before. `linkfs uninstall` removes that. A package, and
# whatever else is installed to a place that it is moved from (DESTDIR), has a list of its own.
set(list "${CMAKE_INSTALL_PREFIX}/share/linkfs/installed")
if(NOT DEFINED linkfs_folders)
	set(linkfs_folders "")
	if(EXISTS "${list}") # by an installation before this one
		file(STRINGS "${list}" linkfs_folders REGEX "/$")
	endif()
	foreach(folder IN ITEMS bin sbin include include/linkfs lib lib/linkfs lib/linkfs/run lib/systemd lib/systemd/user libexec
			libexec/linkfs libexec/linkfs/run share share/linkfs share/linkfs/cmake share/doc share/doc/linkfs share/man
			share/man/man1 share/man/man5 share/man/man8 share/bash-completion share/bash-completion/completions share/zsh
			share/zsh/site-functions)
		if(NOT IS_DIRECTORY "${CMAKE_INSTALL_PREFIX}/${folder}")
			list(APPEND linkfs_folders "${folder}/")
		endif()
	endforeach()
elseif("$ENV{DESTDIR}" STREQUAL "" AND NOT CMAKE_INSTALL_COMPONENT)
	set(files ${CMAKE_INSTALL_MANIFEST_FILES} "${list}")
	list(TRANSFORM files REPLACE "^.*/[.]/" "")
	list(TRANSFORM files REPLACE "^${CMAKE_INSTALL_PREFIX}/" "")
	list(APPEND files ${linkfs_folders})
	list(REMOVE_DUPLICATES files)
	list(JOIN files "\n" text)
	file(WRITE "${list}" "${text}\n")
endif()
