#!/bin/sh
# A guard of git-orch: what runs in a session commits in its worktree alone.
# Made by `git orch init --guard`; to be rid of it, delete this file.
[ -n "$GIT_ORCH_ROOT" ] || exit 0
top=$(git rev-parse --show-toplevel) || exit 1
[ "$(cd "$top" && pwd -P)" = "$(cd "$GIT_ORCH_ROOT" && pwd -P)" ] && exit 0
echo "error: the run of ${GIT_ORCH_SESSION:-a shard} commits in $GIT_ORCH_ROOT, not in $top" >&2
echo "hint: bring the change there: git diff HEAD | git -C \"$GIT_ORCH_ROOT\" apply" >&2
exit 1
