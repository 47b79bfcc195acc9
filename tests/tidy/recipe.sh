#!/bin/sh
# What the passes of the symbols stage read of options, inputs and objects, linker/symbols/recipe.c compares: a relink must not
# take symbols that were resolved with another value of it.
. "$(dirname "$0")/lib.sh"
recipe=linker/symbols/recipe.c

# compared VARIABLE EXEMPT...: the fields of VARIABLE that passes mention are in the recipe, but for those named.
compared() {
	var=$1
	shift
	exempt=" $* "
	for file in linker/symbols/*.[ch]; do
		case ${file##*/} in
		recipe.* | kept.*) continue ;;
		esac
		grep -noE "\\b$var(->|\\.)[a-z_]+" "$file" | sed "s|^\\([0-9]*\\):${var}[^a-z]*|$file:\\1 |"
	done | while read -r where field; do
		case $exempt in
		*" $field "*) continue ;;
		esac
		grep -qE "\\b$var->$field\\b" "$recipe" || echo "$where: $var->$field is not in $recipe"
	done | bad recipe
}

# Of messages: what is reported is not kept. symtab_check_shared is no part of the stage and runs each time.
compared opt demangle trace_symbols unresolved_shlib
# Names as texts stay what they are; what was taken is of intermediate code, which is not compared at all.
compared in opt names pool diag kept files taken compiled_end
compared o name
verdict
