# shellcheck shell=sh
# lib-projects.sh: build files that more than one test writes for a project `hello`, in the current directory.

cargo_project() {
	printf '[package]\nname = "hello"\nversion = "1.0.0"\nedition = "2021"\n' >Cargo.toml
}

# autotools_project [MACRO]: configure.ac, with LT_INIT, say, in it; and what comes of it and of Makefile.am, which is there.
autotools_project() {
	echo "AC_INIT([hello], [1])
AM_INIT_AUTOMAKE([foreign])
AC_PROG_CC
${1-}
AC_CONFIG_FILES([Makefile])
AC_OUTPUT" >configure.ac
	timeout 300 autoreconf -i >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "autoreconf"; }
}
