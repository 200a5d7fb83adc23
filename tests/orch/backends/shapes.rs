//! Every shape that a repository can have, and how each is read.
//!
//! A shape is made by a script that runs in a copy of the plain repository and
//! ends in the folder that git-orch is called in; variables that it prints are
//! in git-orch's environment then. `../history` makes the plain history in
//! another repository; what must never run is `../mine`, which leaves `../ran`.

pub(super) use How::{Both, By, Git, Mounted, Refused, Unmade};

/// How a repository of some shape is read.
#[derive(Debug)]
pub(super) enum How {
    /// By git2, and by git with the same answers.
    Both,
    /// By git alone, as git2 can't read it or reads it otherwise; with the same
    /// answers, but for ids, as a repository has that this script makes of the
    /// plain one.
    Git(&'static str),
    /// By nobody: the reason and what to do.
    Refused(&'static str, &'static [&'static str]),
    /// In one way from this version of git on, in another before.
    By((u32, u32), &'static How, &'static How),
    /// Not at all, as this git can't make it.
    Unmade,
    /// By a test of its own, on a disk that it mounts.
    Mounted,
}

/// A shape: its number, its name, what makes it, and how it is read.
pub(super) type Shape = (usize, &'static str, &'static str, How);

/// Answers as in the plain repository itself.
const PLAIN: How = Git("");
const CLONE: How = Git("git clone -q \"file://$PWD\" ../shape.clone && cd ../shape.clone");
/// What git shows of a history of which it replaces a part, as a history of its own.
macro_rules! rewritten {
    ($replace:literal) => {
        Git(concat!(
            $replace,
            " && git init -q -b main ../rewritten
            git fast-export --full-tree --signed-tags=verbatim --tag-of-filtered-object=rewrite main topic v1 refs/other/x | git -C ../rewritten fast-import --quiet
            cd ../rewritten && git symbolic-ref refs/remotes/origin/HEAD refs/heads/main && git reset -q --hard"
        ))
    };
}
/// A submodule at one commit, at another, at another path, though none of it is to be shown.
macro_rules! moved_submodule {
    ($before:literal) => {
        concat!(
            $before,
            "for at in HEAD HEAD~3 HEAD~2; do git update-index --add --cacheinfo 160000,$(git rev-parse $at),sub; git commit -qm \"sub: $at\"; done
            git rm -q --cached sub; git update-index --add --cacheinfo 160000,$(git rev-parse HEAD~2),libs/sub; git commit -qm 'sub: elsewhere'
            printf '[submodule \"sub\"]\n\tpath = sub\n\turl = ../sub\n\tignore = all\n' >.gitmodules; git add .gitmodules; git commit -qm modules
            git config diff.ignoreSubmodules all; git config submodule.sub.ignore all"
        )
    };
}
/// Objects are loose before the rest is done.
macro_rules! loose {
    ($rest:literal) => {
        concat!(
            "mv .git/objects/pack ../packs && mkdir .git/objects/pack && cat ../packs/*.pack | git unpack-objects -q && ",
            $rest
        )
    };
}
const OUTSIDE: &[&str] = &["change into one, name one with `-C DIR`, or make one with `git init`"];
const SHIPPED: &[&str] =
    &["its configuration came with those files; change into a folder of the one around it"];

#[rustfmt::skip]
pub(super) const SHAPES: &[Shape] = &[
    // How objects, refs and the index are stored.
    (1, "plain, its objects packed", "", Both),
    (1, "plain, its objects loose", loose!(""), Both),
    (2, "detached HEAD", "git checkout -q --detach HEAD~1", Both),
    (3, "index v4", "git update-index --index-version 4", Both),
    (4, "alternates", "git clone -q --shared . ../shape.clone && cd ../shape.clone", Both),
    (4, "quoted alternates", "git clone -q --shared . ../shape.clone && cd ../shape.clone
        printf '\"%s\"\\n' \"$(git -C ../shape rev-parse --absolute-git-dir)/objects\" >.git/objects/info/alternates", Git("git clone -q --shared . ../shape.clone && cd ../shape.clone")),
    (4, "alternates below its own objects", "git clone -q --shared . ../shape.clone && cd ../shape.clone
        cp -r ../shape/.git/objects .git/objects/inner && echo inner >.git/objects/info/alternates", Git("git clone -q --shared . ../shape.clone && cd ../shape.clone")),
    (4, "alternates that lead round to one another", "git clone -q --shared . ../shape.clone && cd ../shape.clone
        echo ../../../shape.clone/.git/objects >../shape/.git/objects/info/alternates", Both),
    (5, "shallow clone", "git clone -q --depth 3 \"file://$PWD\" ../shape.clone && cd ../shape.clone", Both),
    (6, "cruft pack", "git commit -q --allow-empty -m lost && git reset -q --hard HEAD~1 && git reflog expire --expire=now --all
        git repack -q -d --cruft && ls .git/objects/pack/*.mtimes", Both),
    (7, "chain of commit graphs", "git gc -q && git commit-graph write --reachable --split=no-merge 2>&1 && git commit -q --allow-empty -m more
        git commit-graph write --reachable --split=no-merge 2>&1 && ls .git/objects/info/commit-graphs/commit-graph-chain", Both),
    (8, "multi-pack index with a bitmap", "git gc -q && git multi-pack-index write --bitmap --no-progress 2>&1 && ls .git/objects/pack/multi-pack-index-*.bitmap", Both),
    (9, "incremental multi-pack index", "git gc -q && git multi-pack-index write --incremental --no-progress 2>&1 && git commit -q --allow-empty -m more
        git repack -q && git multi-pack-index write --incremental --no-progress && ls .git/objects/pack/multi-pack-index.d", By((2, 47), &Both, &Unmade)),
    (10, "precious objects", "git config core.repositoryFormatVersion 1 && git config extensions.preciousObjects true", Both),
    (11, "worktree configuration", "git config extensions.worktreeConfig true && git worktree add -q -b side ../side && cd ../side && git config --worktree orch.base side", Both),
    (11, "worktree configuration that does not count", "printf '[core]\\n\\tbare = true\\n' >.git/config.worktree", Both),
    (12, "symlinked .git", "mv .git ../store && ln -s ../store .git", Both),
    (13, "git directory elsewhere", "git init -q --separate-git-dir ../store", Both),
    (13, "linked worktree of one whose git directory is elsewhere", "git init -q --separate-git-dir ../store && git worktree add -q -b side ../side && cd ../side", Both),
    (13, "inside the git directory", "cd .git/objects", Both),
    (13, "inside the git directory of one that git alone reads", "git init -q -b main --object-format=sha256 ../sha && cd ../sha && . ../history && cd .git", PLAIN),
    (14, "in the middle of a merge", "git checkout -q -b other HEAD~1 && echo x >src/api/login.rs && git commit -qam other && ! git merge -q main >&2", Both),
    (14, "in the middle of a bisection", "git bisect start -q HEAD HEAD~3 >&2", Both),
    (15, "worktree on another disk", "[ $(stat -c %d . ) != $(stat -c %d \"$OTHER_DISK\") ] && git worktree add -q -b side \"$OTHER_DISK/side\" && cd \"$OTHER_DISK/side\"", Both),
    (16, "SHA-256", "git init -q -b main --object-format=sha256 ../sha && cd ../sha && . ../history", PLAIN),
    (16, "SHA-256, shallow", "git init -q -b main --object-format=sha256 ../sha && cd ../sha && . ../history
        git clone -q --depth 3 \"file://$PWD\" ../shape.clone && cd ../shape.clone", Git("git clone -q --depth 3 \"file://$PWD\" ../shape.clone && cd ../shape.clone")),
    (17, "reftable", "git init -q -b main --ref-format=reftable ../tables && cd ../tables && . ../history", By((2, 45), &PLAIN, &Unmade)),
    (18, "relative worktrees", RELATIVE, By((2, 48), &Both, &Refused("git can't use the repository around `$TMP/side`: unknown repository extension found:…", &[]))),
    (19, "unknown extension", "git config core.repositoryFormatVersion 1 && git config extensions.zzz 1", Refused("git can't use the repository around `$TMP/shape`: unknown repository extension found:…", &[])),
    (19, "extension that the format has not", "git config extensions.objectFormat sha1", Refused("git can't use the repository around `$TMP/shape`: repo version is 0, but v1-only extension found:…", &[])),
    (19, "format of the future", "git config core.repositoryFormatVersion 9", Refused("git can't use the repository around `$TMP/shape`: Expected git repo version <= 1, found 9", &[])),
    (20, "compatible object format", "git config core.repositoryFormatVersion 1 && git config extensions.compatObjectFormat sha256", By((2, 45), &PLAIN, &Refused("git can't use the repository around `$TMP/shape`: unknown repository extension found:…", &[]))),
    (21, "clone without blobs", "git config uploadpack.allowFilter true && git clone -q --filter=blob:none \"file://$PWD\" ../shape.clone && cd ../shape.clone", CLONE),
    (22, "clone without trees", "git config uploadpack.allowFilter true && git clone -q --filter=tree:0 \"file://$PWD\" ../shape.clone && cd ../shape.clone", CLONE),
    (23, "sparse index", "git sparse-checkout set --cone --sparse-index src", Both),
    (24, "sparse checkout", "git sparse-checkout set --cone src", Both),
    (25, "split index", "git update-index --split-index", Both),
    (26, "replaced commit", "git replace --graft HEAD~1 HEAD~3", rewritten!("git replace --graft HEAD~1 HEAD~3")),
    (26, "replaced commit, packed", "git replace --graft HEAD~1 HEAD~3 && git pack-refs --all", rewritten!("git replace --graft HEAD~1 HEAD~3")),
    (27, "grafts", "git rev-parse HEAD~2 >.git/info/grafts", rewritten!("git rev-parse HEAD~2 >.git/info/grafts")),
    (28, "submodule inside", SUBMODULE, Both),
    (28, "inside a submodule", "git clone -q \"$PWD\" ../clone && cd ../clone && git -c protocol.file.allow=always submodule --quiet add ../shape sub && cd sub", Both),
    (29, "worktree of a bare repository", "git clone -q --bare . ../bare.git && cd ../bare.git && git worktree add -q ../work main && cd ../work", Both),
    (30, "bare repository", "git clone -q --bare . ../bare.git && cd ../bare.git", Both),
    (30, "bare repository with SHA-256", "git init -q -b main --object-format=sha256 ../sha && cd ../sha && . ../history && git clone -q --bare . ../bare.git && cd ../bare.git", Git("git clone -q --bare . ../bare.git && cd ../bare.git")),
    (31, "unborn HEAD", "git checkout -q --orphan fresh", Both),
    (31, "empty repository", "git init -q -b main ../empty && cd ../empty", Both),
    // What is damaged, locked or left over.
    (32, "missing blob", loose!("rm .git/objects/$(git rev-parse HEAD:src/api/login.rs | sed 's,..,&/,')"), Both),
    (32, "missing tree", loose!("rm .git/objects/$(git rev-parse HEAD:src | sed 's,..,&/,')"), Both),
    (32, "missing commit", loose!("rm .git/objects/$(git rev-parse HEAD~2 | sed 's,..,&/,')"), Both),
    (33, "corrupt ref", "echo nonsense >.git/refs/heads/broken", Both),
    (34, "stale lock of the index", "touch .git/index.lock", Both),
    (35, "stale lock of a ref", "touch .git/refs/heads/main.lock .git/HEAD.lock", Both),
    (36, "stale lock of packed refs", "git pack-refs --all && touch .git/packed-refs.lock", Both),
    // What trees hold.
    (37, "odd names", ODD_NAMES, Both),
    (38, "path of 4,021 bytes", "path=$(printf 'd%0200d/' $(seq 19))$(printf '%0183d' 0); [ ${#path} = 4021 ]
        git update-index --add --cacheinfo 100644,$(git rev-parse HEAD:src/api/login.rs),$path && git commit -qm deep", Both),
    (39, "names that differ in case", "git config core.ignoreCase true && echo 1 >README && echo 2 >Readme && git -c core.ignoreCase=false add -A && git commit -qm case", Both),
    (40, "git's own files in a tree", GIT_IN_TREE, Both),
    (41, "line endings", "printf '* text=auto\\n*.rs text eol=crlf\\n' >.gitattributes && git config core.autocrlf input && git add -A && git commit -qm eol && rm -r src && git checkout -q .", Both),
    (42, "filters and ident", "git config filter.up.clean 'tr a-z A-Z' && git config filter.up.smudge 'tr A-Z a-z' && printf '*.up filter=up\\n*.id ident\\n' >.gitattributes
        echo words >a.up && echo '$Id$' >a.id && git add -A && git commit -qm filtered && rm a.* && git checkout -q .", Both),
    (43, "UTF-16 in the working tree", "echo '*.txt working-tree-encoding=UTF-16' >.gitattributes && echo words | iconv -t UTF-16 >a.txt && git add -A && git commit -qm wide", Both),
    (44, "required filter that is missing", "echo '*.bin filter=lfs' >.gitattributes && echo pointer >a.bin && git add -A && git commit -qm big
        git config filter.lfs.required true && git config filter.lfs.smudge 'git-no-lfs smudge -- %f' && git config filter.lfs.clean 'git-no-lfs clean -- %f'", Both),
    // What is configured, and where things lie.
    (45, "hooks", "for hook in post-checkout post-index-change reference-transaction; do cp ../mine .git/hooks/$hook; done", Both),
    (46, "file system monitor", "git config core.fsmonitor ../mine", Both),
    (46, "file system monitor of a repository that git alone reads", "git init -q -b main --object-format=sha256 ../sha && cd ../sha && . ../history && git config core.fsmonitor ../mine", PLAIN),
    (47, "untracked cache", "git update-index --force-untracked-cache && git status >&2", Both),
    (48, "locked worktree", "git worktree add -q -b side ../side && git worktree lock --reason 'a stick' ../side", Both),
    (49, "damaged entry of a worktree", "git worktree add -q -b side ../side && rm .git/worktrees/side/gitdir", Both),
    (49, "damaged HEAD of a worktree", "git worktree add -q -b side ../side && echo garbage >.git/worktrees/side/HEAD", Both),
    (50, "worktree that was moved", "git worktree add -q -b side ../side && mv ../side ../moved && cd ../moved", Git("git worktree add -q -b side ../side && cd ../side")),
    (50, "worktree that was moved, seen from the main one", "git worktree add -q -b side ../side && mv ../side ../moved", Both),
    (51, "main worktree that was moved", "git worktree add -q -b side ../side && mv ../shape ../moved && cd ../moved", Both),
    (51, "main worktree that was moved, seen from another", "git worktree add -q -b side ../side && mv ../shape ../moved && cd ../side", Refused("`$TMP/side` is in no git repository", OUTSIDE)),
    (52, "configuration that includes itself", "git config include.path config", Refused("could not read git's configuration:…", &[])),
    (53, "broken configuration", "echo '[broken' >>.git/config", Refused("could not read git's configuration:…", &[])),
    (54, "repository of another user", "chown -R 65534 .", Refused("the repository around `$TMP/shape` belongs to another user", &["if it is to be trusted: `git config --global --add safe.directory DIR`"])),
    (54, "repository of another user that is trusted", "git config --global --add safe.directory \"$PWD\" && chown -R 65534 .", PLAIN),
    (55, "GIT_DIR and GIT_WORK_TREE", "echo GIT_DIR=$PWD/.git && echo GIT_WORK_TREE=$PWD", PLAIN),
    (55, "GIT_WORK_TREE alone", "echo GIT_WORK_TREE=/nowhere", Both),
    (55, "GIT_OBJECT_DIRECTORY", "echo GIT_OBJECT_DIRECTORY=/nowhere && echo GIT_ALTERNATE_OBJECT_DIRECTORIES=/nowhere", Both),
    (55, "GIT_CEILING_DIRECTORIES", "echo GIT_CEILING_DIRECTORIES=$PWD && cd src", Refused("`$TMP/shape/src` is in no git repository", OUTSIDE)),
    (56, "GIT_INDEX_FILE", "echo GIT_INDEX_FILE=/nowhere", Both),
    (57, "GIT_NAMESPACE", "echo GIT_NAMESPACE=x", Both),
    (58, "GIT_CONFIG_COUNT", "echo GIT_CONFIG_COUNT=1 && echo GIT_CONFIG_KEY_0=core.notesRef && echo GIT_CONFIG_VALUE_0=refs/notes/other", Both),
    (59, "repository among the files of another", EMBEDDED, Refused("the repository at `$TMP/shape/inner.git` is a file of the one around it", SHIPPED)),
    (59, "repository among the files of one that git alone reads", "git init -q -b main --object-format=sha256 ../shape.sha && cd ../shape.sha && git clone -q --bare ../shape inner.git && git add -A && git commit -qm inner && cd inner.git",
        Refused("the repository at `$TMP/shape.sha/inner.git` is a file of the one around it", SHIPPED)),
    (59, "repository beside the files of another", "git clone -q --bare . inner.git && cd inner.git", Both),
    (60, "disk that can't be written", "", Mounted),
    // What history looks like.
    (61, "composed and decomposed letters", "git config core.precomposeUnicode true && echo 1 >\"$(printf 'caf\\303\\251')\" && echo 2 >\"$(printf 'cafe\\314\\201')\" && git add -A && git commit -qm letters", Both),
    (62, "names that Windows does not take", "git config core.protectNTFS false && for name in CON aux.txt a:b 'dot.' 'blank ' 'back\\slash' 'git~1' 'q?*<>|\"'; do echo 1 >\"$name\"; done && git add -A && git commit -qm windows", Both),
    (65, "octopus merge", "for side in a b c; do git checkout -q -b $side main && echo $side >$side && git add $side && git commit -qm $side; done && git checkout -q main && git merge -q -m octopus a b c >&2", Both),
    (66, "criss-cross merge", CRISS_CROSS, Both),
    (67, "renames", "git mv src/web src/shop && git mv src/api/login.rs src/shop/login.rs && git commit -qm 'api: moved' && cp src/shop/cart.rs src/copy.rs && git mv src/shop/cart.rs src/api/ && git add -A && git commit -qm 'shop: copied, moved'", Both),
    (68, "empty trees", "git checkout -q --orphan void && git rm -rfq . && git commit -q --allow-empty -m nothing && echo 1 >f && git add f && git commit -qm something && git rm -q f && git commit -qm 'nothing again'", Both),
    (69, "submodule that moved", moved_submodule!(""), Both),
    (69, "submodule that moved, in a repository that git alone reads", moved_submodule!("git init -q -b main --object-format=sha256 ../sha && cd ../sha && . ../history\n"), Git(moved_submodule!(""))),
    (70, "notes in folders none, one and two deep", NOTES, Both),
    // Further ones.
    (71, "branch that stands for another", "git symbolic-ref refs/heads/alias refs/heads/second && git symbolic-ref refs/heads/second refs/heads/main && git symbolic-ref HEAD refs/heads/alias", Both),
    (71, "branches that stand for nothing", "git symbolic-ref refs/heads/alias refs/heads/nowhere && git worktree add -q -b side ../side", Both),
    (72, "refs whose names are not UTF-8", "git update-ref \"refs/heads/caf$(printf '\\351')\" HEAD", Both),
    (73, "refs that go by a part of another's name", "git update-ref refs/tags/refs/heads/none HEAD && git update-ref refs/heads/refs/heads/nowhere HEAD", Both),
    (74, "odd commits", ODD_COMMITS, Both),
    (74, "commits older than their parents", "GIT_COMMITTER_DATE='1699990000 +0000' git commit -q --allow-empty -m early && git commit -q --allow-empty -m late", Both),
    (75, "configuration by condition", "git config --file ../more orch.base other && git config includeIf.hasconfig:remote.*.url:x.path ../../more && git config remote.x.url x", Both),
    (76, "orders and limits of differences", "echo '*.rs' >../order && git config diff.orderFile ../order && git config diff.ignoreSubmodules all && git config diff.relative true && git config log.date relative && git config diff.noPrefix true", Both),
    (76, "orders and limits of differences, where git alone reads", "git init -q -b main --object-format=sha256 ../sha && cd ../sha && . ../history
        echo '*.rs' >../order && git config diff.orderFile ../order && git config diff.ignoreSubmodules all && git config diff.relative true && git config diff.noPrefix true && git config log.diffMerges separate", PLAIN),
];

/// Shapes that take long to make or to read.
#[rustfmt::skip]
pub(super) const LARGE: &[(usize, &str, &str)] = &[
    (63, "100,000 files", "awk 'BEGIN { print \"commit refs/heads/main\\ncommitter A <a@x> 1700000200 +0000\\ndata 5\\nfiles\\nfrom refs/heads/main^0\"
        for (n = 0; n < 100000; n++) printf \"M 100644 inline many/%d/%d/f\\ndata %d\\n%d\\n\", n % 97, n % 1009, length(n), n }' | git fast-import --quiet"),
    (64, "1,000,000 commits", "awk 'BEGIN { for (n = 0; n < 1000000; n++) { printf \"commit refs/heads/main\\ncommitter A <a%d@x> %d +0000\\ndata 2\\nc\\n\", n % 7, 1700000200 + n
        if (!n) print \"from refs/heads/main^0\"; if (n % 50 == 0) printf \"M 100644 inline src/f%d\\ndata %d\\n%d\\n\", n % 13, length(n), n } }' | git fast-import --quiet"),
    (77, "10,000 refs", "refs() { awk -v oid=$(git rev-parse HEAD) -v from=$1 'BEGIN { for (n = from; n < from + 5000; n++) printf \"create refs/heads/many/%d/%d %s\\n\", n % 100, n, oid }' | git update-ref --stdin; }
        refs 0; git pack-refs --all; refs 5000"),
];

/// As git 2.48 makes them, by hand for older ones.
const RELATIVE: &str = "git worktree add -q -b side ../side && echo 'gitdir: ../shape/.git/worktrees/side' >../side/.git && echo ../../../../side/.git >.git/worktrees/side/gitdir
    sed -i 's/repositoryformatversion = 0/repositoryformatversion = 1/' .git/config && printf '[extensions]\\n\\trelativeWorktrees = true\\n' >>.git/config && cd ../side";

const SUBMODULE: &str = "git clone -q . ../lib && git -c protocol.file.allow=always submodule --quiet add ../lib lib && git commit -qm 'a submodule'";

const GIT_IN_TREE: &str = "inner=$(printf '100644 blob %s\tconfig\n' $(git rev-parse HEAD:src/api/login.rs) | git mktree)
    tree=$( (git ls-tree HEAD; printf '040000 tree %s\t.git\n' $inner) | git mktree)
    git update-ref refs/heads/evil $(git commit-tree -p HEAD -m evil $tree) && git symbolic-ref HEAD refs/heads/evil";

const ODD_NAMES: &str = r#"
write() { echo "$1" >"./$1"; }
write "$(printf 'new\nline')"; write "$(printf 'tab\there')"; write "$(printf '\351')"; write "$(printf 'caf\303\251')"
write "$(printf 'cafe\314\201')"; write -rf; write --help; write "$(printf '\033[31mred')"; write '$(touch ran)'; write '`touch ran`'
write ':(top)x'; write ':!x'; write '"quoted"'; write "it's"; write 'a b'; write ' '; write '*'; write '?'; write '[a]'; write '\n'
write "$(printf 'x%0254d' 0)"; write HEAD; write '#'; write '{a,b}'; write '~'; write '@{-1}'; write 'name -> other'
git add -A; git commit -qm names; git rm -q -- ':(literal)*' ':(literal)[a]'; git commit -qm 'fewer names'"#;

const EMBEDDED: &str = "git clone -q --bare . inner.git && git -C inner.git config core.fsmonitor ../../mine && git add -A && git commit -qm inner && git update-index --split-index && cd inner.git";

/// Two common ancestors, equally good and equally old.
const CRISS_CROSS: &str = "git checkout -q -b one && echo 1 >one && git add one && git commit -qm one && git checkout -q -b two main && echo 2 >two && git add two && git commit -qm two
    git checkout -q -b cross one && git merge -q --no-ff -m cross two >&2 && git checkout -q two && git merge -q --no-ff -m criss one >&2
    git checkout -q main && git merge -q --no-ff -m both cross two >&2";

const NOTES: &str = "note=$(echo noted | git hash-object -w --stdin)
    for object in $(git rev-parse HEAD HEAD~1 v1); do rest=${object#??}; under=${rest#??}
        printf '100644 blob %s\t%s\n' $note $object >>../none; printf '%s %s\n' ${object%$rest} $rest >>../one; printf '%s %s %s\n' ${object%$rest} ${rest%$under} $under >>../two; done
    keep() { git update-ref refs/notes/$1 $(git commit-tree -m notes $2); }
    keep none $(git mktree <../none)
    keep one $(while read -r a b; do printf '040000 tree %s\t%s\n' $(printf '100644 blob %s\t%s\n' $note $b | git mktree) $a; done <../one | git mktree)
    keep two $(while read -r a b c; do inner=$(printf '100644 blob %s\t%s\n' $note $c | git mktree); printf '040000 tree %s\t%s\n' $(printf '040000 tree %s\t%s\n' $inner $b | git mktree) $a; done <../two | git mktree)
    git notes --ref=own add -m own HEAD";

/// Each is the parent of the next.
const ODD_COMMITS: &str = r#"
tip=$(git rev-parse HEAD); tree=$(git rev-parse 'HEAD^{tree}')
odd() { tip=$( (printf "tree $tree\nparent $tip\n"; printf "$1") | git hash-object -t commit -w --stdin --literally); }
who='author A <a@x> 1700000200 +0000\ncommitter C <c@x> 1700000200 +0000\n'
odd "$who\n\n\nblank lines before\n\nand a body\n"
odd "${who}encoding ISO-8859-1\n\ncaf\\351 in Latin 1\n"
odd "${who}gpgsig -----BEGIN-----\n parent 1111111111111111111111111111111111111111\n author X <x> 1 +0000\n -----END-----\n\nsigned\n"
odd "${who}mergetag object $tip\n type commit\n tag t\n tagger X <x> 1 +0000\n \n words\n\nmerge tag\n"
odd 'author  <> 1700000201 +0000\ncommitter <> 1700000201 +0000\n\nby nobody\n'
odd 'author A B <C> <a@x> 1700000202 +0000\ncommitter C <c@x> 1700000202 +9999\n\ntwo addresses\n'
odd 'author A <a@x> 1700000203 +0000\ncommitter C <c@x> -5 +0000\n\nbefore 1970\n'
odd 'author A <a@x> 1700000204 +0000\ncommitter C <c@x> 1700000204\n\nno zone\n'
odd "$who\nno line end"
odd "$who\n"
git update-ref refs/heads/main $tip"#;

/// Makes the plain history.
pub(super) const HISTORY: &str = r#"
n=0
commit() { n=$((n + 1)); git add -A; GIT_AUTHOR_DATE="$((1700000000 + n)) +0100" GIT_COMMITTER_DATE="$((1700000000 + n)) -0200" git commit -q "$@"; }
mkdir -p src/api src/web docs
echo 1 > src/api/login.rs; echo 1 > src/web/cart.rs; commit -m 'first: files'
printf 'x' > 'odd "name"
'; printf 'y' > "$(printf 'caf\351')"; echo z > ' -rf'; commit -m 'odd names' -m 'with a body
and a second line'
echo 2 >> src/api/login.rs; ln -s api/login.rs src/link; chmod +x src/web/cart.rs; commit -m 'a link, a mode'
rm src/link; mkdir src/link; echo 3 > src/link/file; commit -m 'a link becomes a folder'
git checkout -q -b topic HEAD~1; echo 4 > docs/guide.md; commit -m 'docs: a guide'
git checkout -q main; GIT_COMMITTER_DATE='1700000005 +0000' git merge -q --no-ff -m 'merge topic' topic
git rm -q docs/guide.md; commit --allow-empty-message -m ''
git tag -a v1 -m v1; git update-ref refs/other/x HEAD; echo 5 >> src/api/login.rs; commit -m 'api: last'
git symbolic-ref refs/remotes/origin/HEAD refs/heads/main
"#;
