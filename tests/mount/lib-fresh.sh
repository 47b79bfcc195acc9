# shellcheck shell=sh
# lib-fresh.sh: live links that are fresh without a look at their inputs. Sourced after lib.sh.

# What can't be read can't be watched, and is looked at.
above=$PWD
while [ "$above" != / ]; do
	above=$(dirname "$above")
	[ -r "$above" ] || skip "$above can't be read by user $(id -u)"
done

# looks_at NAME: how many files a look at this link looks at.
looks_at() {
	before=$(stat_of verify_stats)
	stat "$mnt/$1" >/dev/null || return 1
	echo $(($(stat_of verify_stats) - before))
}

looks_at_is() {
	[ "$(looks_at "$1")" = "$2" ]
}

# quiet NAME [CNT]: a look at this link looks at CNT (0) files alone. Not at once: the first look after a change is a whole
# one, and so is one after a mount elsewhere in the system.
quiet() {
	wait_until looks_at_is "$1" "${2:-0}" || fail "a look at $1 looks at $(looks_at "$1") files: want ${2:-0}"
}

# now_gives NAME TEXT WHAT: at the very next stat and read. Texts differ in length.
now_gives() {
	equal "$(stat -c %s "$mnt/$1")" ${#2} "$3: size"
	equal "$(cat "$mnt/$1")" "$2" "$3"
}
