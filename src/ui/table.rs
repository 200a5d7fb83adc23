//! Tables without boxes: columns two spaces apart.

use comfy_table::{CellAlignment, ContentArrangement};

/// A table being filled.
#[derive(Debug)]
pub struct Table(comfy_table::Table);

impl Table {
    /// A table with a heading over each column.
    pub fn new(headings: &[&str]) -> Self {
        let mut table = Self::bare();
        table.0.set_header(headings.iter().copied());
        table
    }

    /// A table without headings.
    pub fn bare() -> Self {
        let mut table = comfy_table::Table::new();
        table
            .load_style(comfy_table::TableStyle::new())
            .set_content_arrangement(ContentArrangement::Disabled);
        Self(table)
    }

    /// Adds a row.
    pub fn row<I: IntoIterator<Item = S>, S: Into<String>>(&mut self, cells: I) {
        let cells: Vec<String> = cells.into_iter().map(|cell| super::safe(&cell.into())).collect();
        self.0.add_row(cells);
    }

    /// Sets the columns that hold numbers flush right.
    #[must_use]
    pub fn right(mut self, columns: &[usize]) -> Self {
        // A column exists only once a row or heading has it.
        for column in columns {
            if let Some(column) = self.0.column_mut(*column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        self
    }

    /// The lines, indented by two, nothing behind the last column.
    pub fn render(&mut self) -> String {
        for column in self.0.column_iter_mut() {
            column.set_padding((2, 0));
        }
        self.0.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }
}
