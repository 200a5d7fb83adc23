#!/bin/sh
# A scripted agent: reads its brief on standard input and edits the likeliest file.
file=$(sed -n 's/^- \(.*\) (.*)$/\1/p' | head -n 1)
[ -n "$file" ] || { echo "the brief names no file"; exit 1; }
echo "working on $GIT_ORCH_TASK in $file"
case $file in
*.py) printf '# %s: handled\n' "$GIT_ORCH_TASK" >>"$file" ;;
*) printf -- '- %s: written down\n' "$GIT_ORCH_TASK" >>"$file" ;;
esac
