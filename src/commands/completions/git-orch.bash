# bash completion for `git orch` and `git-orch`.
# As ~/.local/share/bash-completion/completions/git-orch it is loaded when needed.

# _git_orch_reply PROGRAM WORD...: completes the last word, the first being git-orch itself.
_git_orch_reply() {
	local program=$1 value typed
	shift
	typed=${!#}
	COMPREPLY=()
	while IFS=$'\t' read -r value _; do
		# Readline replaces only what follows the last `=` or `:`.
		case $typed in *=*) [[ $COMP_WORDBREAKS == *=* ]] && value=${value#"${typed%=*}="} ;; esac
		case $typed in *:*) [[ $COMP_WORDBREAKS == *:* ]] && value=${value#"${typed%:*}:"} ;; esac
		COMPREPLY+=("$value ")
	done < <($program completions --at $(($# - 1)) -- "$@" 2>/dev/null)
}

# Called by git's own completion for `git orch`, also behind `git -C folder`.
_git_orch() {
	local first=${__git_cmd_idx-} index
	if [ -z "$first" ]; then
		for index in "${!words[@]}"; do
			[ "${words[index]}" = orch ] && first=$index && break
		done
	fi
	_git_orch_reply "__git orch" "${words[@]:first:cword-first}" "$cur"
}

# Called by bash for `git-orch`.
_git_orch_program() {
	local cur=$2 cword=$COMP_CWORD words=("${COMP_WORDS[@]}")
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n =: cur words cword
	fi
	_git_orch_reply git-orch "${words[@]:0:cword}" "$cur"
}

complete -o bashdefault -o default -o nospace -F _git_orch_program git-orch
