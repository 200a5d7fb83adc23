# node.sh carries out shards of a git-orch fan-out on a machine that has git, a
# POSIX shell and the address of a remote, and shares nothing else with anybody.
#
#     GIT_ORCH_REMOTE=ADDRESS GIT_ORCH_RUN=refs/orch/run/NAME sh node.sh SHARD...
#
# GIT_ORCH_ORDER   the commit that the run's `order` must be; asked for where not set
# GIT_ORCH_HOST    what this machine is called in the results
# GIT_ORCH_WATCH   set: end when standard input does
# GIT_ORCH_NODE_DIR  where objects are kept from shard to shard
#
# The order is a commit. Its tree has `job` (settings), `shard/N` (the command)
# and `files/N` (NUL-separated names); its parent's tree is what shards start
# from: all of it, or of `sparse` jobs what lies at N. The result of a shard is
# one commit on RUN/shard/N: `tree`, what the command left; `log`, the last it
# printed; `record`, how it ended. Whoever pushes first has made the result.
#
# Exit: 0 all have results, 64 wrong use, 75 at least one has none for reasons
# that are not its own: try it elsewhere.
set -u
umask 077
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_COMMON_DIR GIT_OBJECT_DIRECTORY GIT_PREFIX
unset GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_NAMESPACE GIT_SHALLOW_FILE GIT_GRAFT_FILE
export GIT_TERMINAL_PROMPT=0

LOG_BYTES=1048576
TRIES=5
KEEP_DAYS=7
work= pid= tail= late= watcher=

say() { printf 'git-orch: %s\n' "$*" >&2; }

# Git, as if it knew the remote, running nothing but itself.
g() { git -c remote.origin.url="$remote" -c core.hooksPath=/dev/null -c gc.auto=0 -c maintenance.auto=false "$@"; }

# Git for this shard: what it writes goes beside what all shards share.
own() {
	GIT_OBJECT_DIRECTORY="$work/objects" GIT_ALTERNATE_OBJECT_DIRECTORIES="$store/objects" \
		GIT_INDEX_FILE="$work/index" g --git-dir="$store" -c core.bare=false "$@"
}

# A moment to wait that differs from machine to machine; longer each time.
pause() {
	random=$(od -An -N2 -tu2 /dev/urandom 2>/dev/null | tr -d ' ')
	sleep $((${random:-$$} % 2 + $1))
}

# Tries a command again and again, but where it says by 3 that it is in vain.
stubborn() {
	try=1
	until "$@"; do
		[ $? != 3 ] && [ $try -lt $TRIES ] || return 1
		pause $try
		try=$((try + 1))
	done
}

# Nanoseconds since some moment; whole seconds where `date` knows no smaller ones.
now() {
	now=$(date +%s%N)
	case $now in *[!0-9]*) now=$(date +%s)000000000 ;; esac
	echo "$now"
}

end_group() { [ -z "$1" ] || kill -s "$2" -- "-$1" 2>/dev/null; }

# Everything the command started, also what left its group: it has its folder in its environment.
sweep() {
	end_group "$pid" KILL
	if [ -d /proc/self ] && [ -n "$work" ]; then
		strays=$(grep -lsF "GIT_ORCH_SHARD_FILES=$work/" /proc/[0-9]*/environ | cut -d/ -f3)
		# Some may be gone already.
		[ -z "$strays" ] || kill -s KILL $strays 2>/dev/null
	fi
	pid=
}

forget() {
	end_group "$late" KILL
	[ -z "$tail" ] || kill -s KILL "$tail" 2>/dev/null
	late= tail=
	if [ -n "$work" ]; then
		rm -rf "$work" 2>/dev/null || { chmod -R u+rwX "$work" && rm -rf "$work"; }
	fi
	work=
}

stop() {
	trap '' TERM INT HUP
	if [ -n "$pid" ]; then
		end_group "$pid" TERM
		$group sh -c 'sleep 2; kill -s KILL -- "-$1"' sh "$pid" </dev/null >/dev/null 2>&1 3<&- &
		patience=$!
		wait "$pid"
		end_group "$patience" KILL
	fi
	exit "$1"
}

leave() {
	sweep
	forget
	end_group "$watcher" KILL
}

# Where objects lie: a folder of ours alone.
find_cache() {
	temporary=${TMPDIR:-/tmp}
	[ -d "$temporary" ] && [ -w "$temporary" ] || temporary=/tmp
	cache=${GIT_ORCH_NODE_DIR:-$temporary/git-orch-$(id -u)}
	mkdir -p -m 700 "$cache" 2>/dev/null
	[ -d "$cache" ] && [ -O "$cache" ] || cache=$(mktemp -d "$temporary/git-orch-XXXXXX") || exit 75
}

# The run's order, and what its shards start from, fetched once for all tasks on this machine.
fetch_order() {
	if [ -z "${GIT_ORCH_ORDER:-}" ]; then
		GIT_ORCH_ORDER=$(g ls-remote -- "$remote" "$run/order" | cut -f1)
		[ -n "$GIT_ORCH_ORDER" ] || { say "there is no $run/order on $remote"; return 1; }
	fi
	order=$GIT_ORCH_ORDER
	store=$cache/order-$order
	until [ -d "$store" ]; do
		if mkdir "$store.making" 2>/dev/null; then
			echo $$ >"$store.making/pid"
			[ -d "$store" ] || make_store
			made=$?
			rm -rf "$store.making"
			[ $made = 0 ] || return 1
		elif maker=$(cat "$store.making/pid" 2>/dev/null) && ! kill -s 0 "$maker" 2>/dev/null; then
			# Its maker died. Whoever comes first makes it now.
			rm -rf "$store.making"
		else
			sleep 0.1
		fi
	done
	touch "$store"
}

make_store() {
	for old in "$cache"/order-* "$cache"/new-* "$cache"/work-*; do
		[ -z "$(find "$old" -prune -mtime +$KEEP_DAYS 2>/dev/null)" ] || rm -rf "$old"
	done
	new=$(mktemp -d "$cache/new-XXXXXX") || return 1
	init "$new" --bare || return 1
	seed
	if stubborn fetch_into "$new" && lay_out "$new"; then
		mv "$new" "$store" && return
	fi
	rm -rf "$new"
	return 1
}

# An empty repository whose ids are as long as the order's.
init() {
	format=sha1
	[ ${#order} = 40 ] || format=sha256
	g init -q --template= --object-format=$format ${2:-} "$1"
}

# What the last run on this machine fetched is not fetched again. Packs never
# change, so that both can have the same files.
seed() {
	last=$(ls -td "$cache"/order-* 2>/dev/null | head -n 1)
	[ -n "$last" ] && [ ${#last} = ${#store} ] || return 0
	[ "$(ls "$last/objects/pack" | wc -l)" -lt 100 ] || return 0
	cp -Rl "$last/objects" "$new/" 2>/dev/null || cp -R "$last/objects" "$new/"
	cp "$last/shallow" "$new/" 2>/dev/null
	cp -R "$last/refs" "$new/"
}

fetch_into() {
	fetch_part "$1" --depth=1 || return
	if g --git-dir="$1" cat-file -p "$order:job" | grep -qx 'sparse yes'; then
		partial "$1"
		fetch_part "$1" --depth=2 --filter=blob:none
	else
		fetch_part "$1" --depth=2
	fi
}

# What shards need of it without asking git: the order's files, the repository
# that a command finds around it, the commit that shards start from.
lay_out() {
	g --git-dir="$1" rev-parse "$order^1" >"$1/parent" || return 1
	init "$1/around" || return 1
	mv "$1/around/.git" "$1/around.git" && rmdir "$1/around" || return 1
	cp "$1/parent" "$1/around.git/HEAD"
	cp "$1/shallow" "$1/around.git/" 2>/dev/null
	echo "$store/objects" >"$1/around.git/objects/info/alternates"
	GIT_INDEX_FILE="$1/order.index" g --git-dir="$1" -c core.bare=false read-tree "$order" &&
		GIT_INDEX_FILE="$1/order.index" g --git-dir="$1" --work-tree="$1" -c core.bare=false \
			-c core.autocrlf=false -c core.attributesFile=/dev/null checkout-index -a --prefix="$1/record/"
}

fetch_part() {
	folder=$1
	shift
	g --git-dir="$folder" fetch -q --no-tags --no-write-fetch-head "$@" origin \
		"+$run/order:refs/orch/order/$order" || {
		is_off || return 1
		return 3
	}
	[ "$(g --git-dir="$folder" rev-parse --verify -q "refs/orch/order/$order")" = "$order" ] || {
		say "$run/order is not $order"
		return 1
	}
}

# Whether the remote has no such run any more.
is_off() {
	there=$(g ls-remote -- "$remote" "$run/order" 2>/dev/null) && [ -z "$there" ] && say "$run was called off"
}

# Makes a repository one that fetches blobs when they are asked for.
partial() {
	g --git-dir="$1" config core.repositoryFormatVersion 1
	g --git-dir="$1" config extensions.partialClone origin
	g --git-dir="$1" config remote.origin.promisor true
	g --git-dir="$1" config remote.origin.partialCloneFilter blob:none
}

# Everything a shard needs, in a folder of its own.
prepare() {
	work=$(mktemp -d "$cache/work-XXXXXX") || return 1
	tree=$work/tree
	mkdir "$tree" "$work/objects" && cp -R "$store/around.git" "$tree/.git" || return 1
	echo "$work/objects" >>"$tree/.git/objects/info/alternates"
	cp "$store/record/shard/$n" "$work/command" && cp "$store/record/files/$n" "$work/files" || return 1
	for part in brief problems; do
		[ ! -e "$store/record/$part/$n" ] || cp "$store/record/$part/$n" "$work/$part" || return 1
	done
}

# Makes the files those that the shard starts from, and no others.
set_files() {
	if [ "$1" != 0 ]; then
		rm -f "$work/pipe" "$work/late"
		own --work-tree="$tree" clean -ffdxq || return 1
	fi
	own --work-tree="$tree" read-tree --reset -u "$start" || return 1
	cp "$work/index" "$tree/.git/index"
}

# Runs the command once; how it ended goes to `ended`.
attempt() {
	mkfifo "$work/pipe" || return 1
	tail -c $LOG_BYTES <"$work/pipe" >"$work/log" &
	tail=$!
	began=$(now)
	(
		cd "$tree" || exit 70
		unset GIT_ORCH_REMOTE GIT_ORCH_RUN GIT_ORCH_ORDER GIT_ORCH_WATCH GIT_ORCH_NODE_DIR
		unset GIT_ORCH_HOST GIT_ORCH_SHARDS GIT_ORCH_NODE GIT_TERMINAL_PROMPT
		export GIT_ORCH_SHARD="$n" GIT_ORCH_SHARD_FILES="$work/files" GIT_ORCH_ROOT="$tree"
		[ ! -e "$work/brief" ] || export GIT_ORCH_BRIEF="$work/brief"
		[ ! -e "$work/problems" ] || export GIT_ORCH_PROBLEMS="$work/problems"
		exec $group sh "$work/command" </dev/null >"$work/pipe" 2>&1 3<&-
	) &
	pid=$!
	if [ "$limit" -gt 0 ]; then
		$group sh -c 'sleep "$1"; : >"$3"; kill -s TERM -- "-$2"; sleep 10; kill -s KILL -- "-$2"' \
			sh "$limit" "$pid" "$work/late" </dev/null >/dev/null 2>&1 3<&- &
		late=$!
	fi
	wait "$pid"
	code=$?
	took=$(($(now) - began))
	end_group "$late" KILL
	late=
	sweep
	wait "$tail"
	tail=
	ended="exit $code"
	[ ! -e "$work/late" ] || ended='timeout'
}

# What is to be told of it, in a commit.
result() {
	left=
	if [ -d "$tree" ] && [ ! -L "$tree" ] && own --work-tree="$tree" add --all 2>"$work/why"; then
		left=$(own --work-tree="$tree" write-tree 2>"$work/why")
	fi
	{
		printf 'version 1\n%s\nretries %s\nhost %s\n' "$ended" "$retries" "$host"
		printf 'started %d\nbytes %d\n' $((began / 1000000000)) $(($(wc -c <"$work/log")))
		printf 'seconds %d.%03d\n' $((took / 1000000000)) $((took / 1000000 % 1000))
		[ -n "$left" ] || printf 'unread %s\n' "$(tr '\n' ' ' <"$work/why")"
	} >"$work/record"
	# The log and the record, in this order.
	blobs=$(own hash-object -w --no-filters "$work/log" "$work/record") || return 1
	entries=$(
		set -- $blobs
		printf '100644 blob %s\tlog\n100644 blob %s\trecord\n' "$1" "$2"
		[ -z "$left" ] || printf '040000 tree %s\ttree\n' "$left"
	)
	commit=$(printf '%s\n' "$entries" | own mktree --missing) || return 1
	commit=$(
		export GIT_AUTHOR_NAME=git-orch GIT_AUTHOR_EMAIL=git-orch@localhost
		export GIT_COMMITTER_NAME=git-orch GIT_COMMITTER_EMAIL=git-orch@localhost
		own commit-tree -p "$parent" -m "shard $n of ${run#refs/orch/run/}" "$commit"
	)
}

# Pushes it, unless the run was called off or somebody was first.
hand_in() {
	own push -q --atomic --force-with-lease="$run/order:$order" --force-with-lease="$run/shard/$n:" origin \
		"$order:$run/order" "$commit:$run/shard/$n" 2>"$work/why" && return
	there=$(own ls-remote -- "$remote" "$run/*" 2>/dev/null) || return 1
	case $there in
	*"$run/shard/$n"*) say "shard $n has a result already" ;;
	*"$run/order"*)
		# Some remotes take no two refs at once.
		own push -q --force-with-lease="$run/shard/$n:" origin "$commit:$run/shard/$n" 2>"$work/why" && return
		cat "$work/why" >&2
		return 1
		;;
	*) say "$run was called off" ;;
	esac
}

carry() {
	n=$1
	start="$parent^{tree}"
	[ "$sparse" != yes ] || start="$parent:$n"
	prepare || return 1
	retries=0
	stubborn set_files 0 || return 1
	ended=
	while attempt; do
		[ "$ended" != 'exit 0' ] && [ $retries -lt "$most" ] && set_files 1 || break
		retries=$((retries + 1))
	done
	[ -n "$ended" ] || return 1
	result && stubborn hand_in
}

[ $# -gt 0 ] || { say 'name the shards'; exit 64; }
remote=${GIT_ORCH_REMOTE:?} run=${GIT_ORCH_RUN:?}
host=${GIT_ORCH_HOST:-${SLURMD_NODENAME:-$(uname -n)}}
group=setsid
command -v setsid >/dev/null || group='perl -MPOSIX=setsid -e setsid;exec@ARGV'
trap 'stop 143' TERM
trap 'stop 130' INT
trap 'stop 129' HUP
trap leave EXIT
if [ -n "${GIT_ORCH_WATCH:-}" ]; then
	exec 3<&0
	$group sh -c 'cat <&3 >/dev/null; kill -s TERM "$1"' sh $$ >/dev/null 2>&1 &
	watcher=$!
fi
find_cache
fetch_order || exit 75
read -r parent <"$store/parent"
limit=0 most=0 sparse=no
while read -r word value; do
	case $word in
	version) [ "$value" = 1 ] || { say "version $value is not known here"; exit 64; } ;;
	timeout) limit=$value ;;
	retries) most=$value ;;
	sparse) sparse=$value ;;
	esac
done <"$store/record/job"
all=0
for shard; do
	carry "$shard" || all=75
	forget
done
exit $all
