//! Tables without boxes: columns two spaces apart.

use comfy_table::{CellAlignment, ContentArrangement};

use crate::model::wording::excerpt;

/// A table being filled.
#[derive(Debug)]
pub struct Table {
    cells: comfy_table::Table,
    right: Vec<usize>,
}

impl Table {
    /// A table with a heading over each column.
    pub fn new(headings: &[&str]) -> Self {
        let mut table = Self::bare();
        table.cells.set_header(headings.iter().copied());
        table
    }

    /// A table without headings.
    pub fn bare() -> Self {
        let mut cells = comfy_table::Table::new();
        cells
            .load_style(comfy_table::TableStyle::new())
            .set_content_arrangement(ContentArrangement::Disabled);
        Self { cells, right: Vec::new() }
    }

    /// Adds a row.
    pub fn row<I: IntoIterator<Item = S>, S: Into<String>>(&mut self, cells: I) {
        let cells: Vec<String> = cells.into_iter().map(|cell| super::safe(&cell.into())).collect();
        self.cells.add_row(cells);
    }

    /// Sets the columns that hold numbers flush right.
    #[must_use]
    pub fn right(mut self, columns: &[usize]) -> Self {
        self.right = columns.to_vec();
        self
    }

    /// The lines, indented by two, nothing behind the last column.
    pub fn render(&mut self) -> String {
        for column in self.cells.column_iter_mut() {
            column.set_padding((2, 0));
        }
        // A column exists only once a row or heading has it.
        for column in &self.right {
            if let Some(column) = self.cells.column_mut(*column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let width = terminal_width().unwrap_or(usize::MAX);
        self.cells.lines().map(|line| fit(line.trim_end(), width) + "\n").collect()
    }
}

/// A line that is too wide for the terminal loses its end, not its line.
fn fit(line: &str, width: usize) -> String {
    if line.chars().count() <= width { line.to_owned() } else { excerpt(line, width.saturating_sub(1)) }
}

/// How wide the terminal is; nothing where no terminal shows the answer.
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

#[test]
fn numbers_stand_flush_right_with_and_without_headings() {
    let mut table = Table::bare().right(&[0]);
    table.row(["10.75", "src"]);
    table.row(["2.93", "tests"]);
    assert_eq!(table.render(), "  10.75  src\n   2.93  tests\n");
    let mut table = Table::new(&["path", "touches"]).right(&[1]);
    table.row(["src", "3"]);
    assert_eq!(table.render(), "  path  touches\n  src         3\n");
}

#[test]
fn a_line_is_cut_where_the_terminal_ends() {
    assert_eq!(fit("  src  3", 8), "  src  3");
    assert_eq!(fit("  src  3 more", 8), "  src…");
}
