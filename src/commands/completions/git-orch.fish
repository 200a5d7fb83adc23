# fish completion for `git orch` and `git-orch`. In ~/.config/fish/conf.d it is there from the
# start; from a folder of completions, not every fish reads it for `git orch`.

function __fish_git_orch_candidates
    set -l words (commandline --tokenize --current-process --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    if test "$words[1]" = git
        set words $words[(contains --index -- orch $words)..-1]
    end
    set -l candidates (git-orch completions --at (count $words) -- $words $current 2>/dev/null)
    if set -q candidates[1]
        printf '%s\n' $candidates
    else
        __fish_complete_path $current
    end
end

complete --command git-orch --no-files --arguments '(__fish_git_orch_candidates)'
complete --command git --no-files --condition '__fish_git_using_command orch' --arguments '(__fish_git_orch_candidates)'
