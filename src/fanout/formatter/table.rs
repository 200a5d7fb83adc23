//! The known formatters, in order of precedence: a file goes to the first row
//! that claims it. A data table.

use crate::model::RepoPath;

/// One formatter, or one reason to use it.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) program: &'static str,
    /// Programs that must be found as well.
    pub(super) requires: &'static [&'static str],
    /// Folders of the checkout where its own copy is looked for.
    pub(super) beside: &'static [&'static str],
    pub(super) arguments: &'static [&'static str],
    /// How it is asked for its version; nothing where it can't be.
    pub(super) version: &'static [&'static str],
    /// What files it formats, by the end of their names.
    pub(super) extensions: &'static [&'static str],
    pub(super) exclude: &'static [&'static str],
    pub(super) unit: Unit,
    pub(super) marks: &'static [Mark],
    pub(super) executes: Executes,
    /// An ignored folder that plugins are loaded from.
    pub(super) share: Option<&'static str>,
    pub(super) install: &'static str,
}

/// What a formatter takes.
pub(super) enum Unit {
    /// Any files, each by itself.
    File,
    /// The manifest of one Cargo package.
    CargoPackage,
}

/// What says that a repository uses a formatter; the folder of the file is
/// where it does.
pub(super) enum Mark {
    /// A file of this name.
    Named(&'static str),
    /// A file whose name starts so.
    Prefixed(&'static str),
    /// A table in a TOML file.
    Table(&'static str, &'static [&'static str]),
    /// A dependency, or a key of its own, in `package.json`.
    NodePackage(&'static str),
    /// A word in a text file.
    Word(&'static str, &'static [&'static str]),
    /// A hook in `.pre-commit-config.yaml`.
    Hook(&'static str),
}

/// What of the repository a formatter can be made to execute.
#[derive(Clone, Copy)]
pub(super) enum Executes {
    /// Nothing.
    Nothing,
    /// What a prettier configuration names: scripts, plugins, parsers.
    Prettier,
    /// What Cargo's and rustup's files name: an alias, a compiler, a toolchain.
    Cargo,
    /// Always: its configuration is a program.
    Always(&'static str),
}

/// Whether a file's name ends so.
pub(super) fn has_extension(file: &RepoPath, extensions: &[&str]) -> bool {
    let name = file.file_name();
    let dot = name.iter().rposition(|byte| *byte == b'.');
    dot.is_some_and(|dot| extensions.iter().any(|extension| extension.as_bytes() == &name[dot + 1..]))
}

const BIN: &[&str] = &["node_modules/.bin"];
const VENV: &[&str] = &[".venv/bin", "venv/bin"];
const VERSION: &[&str] = &["--version"];
const C_LIKE: &[&str] =
    &["c", "cc", "cpp", "cxx", "c++", "h", "hh", "hpp", "hxx", "h++", "m", "mm", "cu", "cuh"];
const BIOME: Row = Row {
    name: "biome",
    program: "biome",
    beside: BIN,
    arguments: &["format", "--write", "--no-errors-on-unmatched", "--"],
    marks: &[Mark::Named("biome.json"), Mark::Named("biome.jsonc"), Mark::NodePackage("@biomejs/biome")],
    install: "npm ci",
    ..PLAIN
};
const RUFF: Row = Row {
    name: "ruff",
    program: "ruff",
    beside: VENV,
    arguments: &["format", "--force-exclude", "--no-cache", "--"],
    extensions: &["py", "pyi"],
    install: "pip install ruff",
    ..PLAIN
};

/// A row with nothing said; what rows leave out.
const PLAIN: Row = Row {
    name: "",
    program: "",
    requires: &[],
    beside: &[],
    arguments: &[],
    version: VERSION,
    extensions: &[],
    exclude: &[],
    unit: Unit::File,
    marks: &[],
    executes: Executes::Nothing,
    share: None,
    install: "",
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "rustfmt",
        program: "cargo",
        requires: &["cargo-fmt", "rustfmt"],
        arguments: &["fmt", "--manifest-path"],
        version: &["fmt", "--version"],
        extensions: &["rs"],
        unit: Unit::CargoPackage,
        marks: &[Mark::Named("Cargo.toml")],
        executes: Executes::Cargo,
        install: "rustup component add rustfmt",
        ..PLAIN
    },
    Row {
        name: "gofmt",
        program: "gofmt",
        arguments: &["-w"],
        version: &[],
        extensions: &["go"],
        exclude: &["**/testdata/**"],
        marks: &[Mark::Named("go.mod"), Mark::Hook("go-fmt"), Mark::Hook("gofmt")],
        install: "it comes with Go",
        ..PLAIN
    },
    Row {
        extensions: &[
            "js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "json", "jsonc", "css", "graphql",
        ],
        ..BIOME
    },
    Row {
        name: "prettier",
        program: "prettier",
        beside: BIN,
        arguments: &["--write", "--ignore-unknown", "--log-level=warn", "--"],
        extensions: &[
            "js",
            "jsx",
            "mjs",
            "cjs",
            "ts",
            "tsx",
            "mts",
            "cts",
            "vue",
            "css",
            "scss",
            "less",
            "json",
            "json5",
            "jsonc",
            "graphql",
            "gql",
            "md",
            "mdx",
            "markdown",
            "yaml",
            "yml",
            "html",
            "htm",
            "hbs",
            "handlebars",
            "svelte",
            "astro",
        ],
        marks: &[
            Mark::NodePackage("prettier"),
            Mark::Prefixed(".prettierrc"),
            Mark::Prefixed("prettier.config."),
            Mark::Hook("prettier"),
        ],
        executes: Executes::Prettier,
        share: Some("node_modules"),
        install: "npm ci",
        ..PLAIN
    },
    // What only newer versions format, and leave alone otherwise: prettier goes first.
    Row {
        extensions: &[
            "md", "markdown", "yaml", "yml", "html", "vue", "svelte", "astro", "scss", "less", "json5", "gql",
        ],
        ..BIOME
    },
    Row {
        marks: &[
            Mark::Hook("ruff-format"),
            Mark::Table("pyproject.toml", &["tool", "ruff", "format"]),
            Mark::Table("ruff.toml", &["format"]),
            Mark::Table(".ruff.toml", &["format"]),
        ],
        ..RUFF
    },
    Row {
        name: "black",
        program: "black",
        beside: VENV,
        // The shards are what runs at once.
        arguments: &["--quiet", "--workers=1"],
        extensions: &["py", "pyi"],
        marks: &[
            Mark::Table("pyproject.toml", &["tool", "black"]),
            Mark::Hook("black"),
            Mark::Hook("black-pre-commit-mirror"),
        ],
        install: "pip install black",
        ..PLAIN
    },
    // Ruff as a checker alone says little, so black goes first where both are configured.
    Row {
        marks: &[
            Mark::Table("pyproject.toml", &["tool", "ruff"]),
            Mark::Named("ruff.toml"),
            Mark::Named(".ruff.toml"),
        ],
        ..RUFF
    },
    Row {
        name: "clang-format",
        program: "clang-format",
        arguments: &["-i", "--"],
        extensions: C_LIKE,
        marks: &[Mark::Named(".clang-format"), Mark::Named("_clang-format")],
        install: "pip install clang-format",
        ..PLAIN
    },
    Row {
        name: "shfmt",
        program: "shfmt",
        arguments: &["-w", "--"],
        extensions: &["sh", "bash"],
        marks: &[
            Mark::Word(
                ".editorconfig",
                &[
                    "shell_variant",
                    "binary_next_line",
                    "switch_case_indent",
                    "space_redirects",
                    "function_next_line",
                ],
            ),
            Mark::Hook("shfmt"),
            Mark::Hook("shfmt-docker"),
        ],
        install: "pip install shfmt-py",
        ..PLAIN
    },
    Row {
        name: "stylua",
        program: "stylua",
        beside: BIN,
        arguments: &["--respect-ignores", "--"],
        extensions: &["lua", "luau"],
        marks: &[Mark::Named("stylua.toml"), Mark::Named(".stylua.toml")],
        install: "cargo install stylua",
        ..PLAIN
    },
    Row {
        name: "zig fmt",
        program: "zig",
        arguments: &["fmt"],
        version: &["version"],
        extensions: &["zig", "zon"],
        marks: &[Mark::Named("build.zig")],
        install: "it comes with Zig",
        ..PLAIN
    },
    Row {
        name: "dart format",
        program: "dart",
        arguments: &["format", "--"],
        extensions: &["dart"],
        marks: &[Mark::Named("pubspec.yaml")],
        install: "it comes with Dart",
        ..PLAIN
    },
    Row {
        name: "terraform fmt",
        program: "terraform",
        arguments: &["fmt"],
        version: &["version"],
        extensions: &["tf", "tfvars"],
        marks: &[Mark::Named(".terraform.lock.hcl"), Mark::Hook("terraform_fmt")],
        install: "it comes with Terraform",
        ..PLAIN
    },
    Row {
        name: "mix format",
        program: "mix",
        arguments: &["format", "--"],
        extensions: &["ex", "exs"],
        marks: &[Mark::Named(".formatter.exs")],
        executes: Executes::Always("`.formatter.exs` and `mix.exs` are programs"),
        install: "it comes with Elixir",
        ..PLAIN
    },
];
