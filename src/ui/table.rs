//! Tables without boxes: columns two spaces apart.

use comfy_table::{CellAlignment, ContentArrangement};

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
        self.cells.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }
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
