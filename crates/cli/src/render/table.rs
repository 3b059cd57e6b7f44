//! Aligned columns that fit a width.

use super::style::{FAINT, PLAIN, TITLE, paint};
use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Space between columns.
const GAP: usize = 2;
/// A column that wraps is not made narrower than this.
const LEAST: usize = 12;

/// How a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    /// Words, to the left.
    Left,
    /// Numbers, to the right.
    Right,
    /// Words, to the left, on several lines where there is too little room.
    Wrap,
}

/// One cell.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// Text in a style.
    pub(crate) fn new(style: Style, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            style,
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(PLAIN, text)
    }
}

/// Rows of cells under column heads.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with a head for each column; heads may be empty, the first is the
    /// table's title.
    pub(crate) fn new(columns: &[(Column, &str)]) -> Self {
        let heads = columns
            .iter()
            .enumerate()
            .map(|(i, (_, head))| Cell::new(if i == 0 { TITLE } else { FAINT }, *head))
            .collect();
        Self {
            columns: columns.iter().map(|(column, _)| *column).collect(),
            rows: vec![heads],
        }
    }

    /// Adds a row. Cells that are left out are empty.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }

    /// Whether there is no row but the heads.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// The lines, none of them wider than `width` if that can be had.
    pub(crate) fn render(&self, width: usize) -> String {
        let table = self.without_empty_columns();
        let widths = table.widths(width);
        let mut out = String::new();
        for row in &table.rows {
            let cells: Vec<Vec<String>> = row
                .iter()
                .zip(&table.columns)
                .zip(&widths)
                .map(|((cell, column), &width)| match column {
                    Column::Wrap => wrap(&cell.text, width),
                    _ => vec![cell.text.clone()],
                })
                .collect();
            let height = cells.iter().map(Vec::len).max().unwrap_or(0);
            for line in 0..height {
                table.line(&mut out, row, &cells, &widths, line);
            }
        }
        out
    }

    /// A column that has a head and nothing else is not shown, the title's is.
    fn without_empty_columns(&self) -> Self {
        let used = |i: usize| {
            let mut cells = self.rows.iter().skip(1).filter_map(|row| row.get(i));
            i == 0 || cells.any(|cell| !cell.text.is_empty())
        };
        let kept: Vec<_> = (0..self.columns.len()).filter(|&i| used(i)).collect();
        let row = |row: &Vec<Cell>| kept.iter().filter_map(|&i| row.get(i).cloned()).collect();
        Self {
            columns: kept.iter().map(|&i| self.columns[i]).collect(),
            rows: self.rows.iter().map(row).collect(),
        }
    }

    /// One line of one row. Nothing follows the last text, not even spaces.
    fn line(
        &self,
        out: &mut String,
        row: &[Cell],
        cells: &[Vec<String>],
        widths: &[usize],
        line: usize,
    ) {
        let mut owed = 0;
        for (((cell, lines), column), &width) in
            row.iter().zip(cells).zip(&self.columns).zip(widths)
        {
            let text = lines.get(line).map_or("", String::as_str);
            let space = width.saturating_sub(text.width());
            let (before, after) = match column {
                Column::Right => (space, 0),
                _ => (0, space),
            };
            if text.is_empty() {
                owed += width + GAP;
                continue;
            }
            out.extend(std::iter::repeat_n(' ', owed + before));
            out.push_str(&paint(cell.style, text));
            owed = after + GAP;
        }
        out.push('\n');
    }

    /// As wide as the widest cell; columns that wrap give way, the widest first.
    fn widths(&self, width: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = (0..self.columns.len())
            .map(|i| {
                let cells = self.rows.iter().filter_map(|row| row.get(i));
                cells.map(|cell| cell.text.width()).max().unwrap_or(0)
            })
            .collect();
        loop {
            let total = widths.iter().sum::<usize>() + GAP * (widths.len().max(1) - 1);
            let widest = (0..widths.len())
                .filter(|&i| self.columns[i] == Column::Wrap && widths[i] > LEAST)
                .max_by_key(|&i| widths[i]);
            match widest {
                Some(i) if total > width => widths[i] -= 1,
                _ => return widths,
            }
        }
    }
}

/// Breaks text between words into lines of at most `width`; a longer word is
/// broken too. Space that the text begins with is before each line, and words
/// that [`together`] has joined stay on one.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let words = text.trim_start_matches(' ');
    let indent = " ".repeat(text.len() - words.len());
    let width = width.saturating_sub(indent.len()).max(1);
    let mut lines = Vec::new();
    let mut line = indent.clone();
    let mut used = 0;
    for word in words.split(' ') {
        let wanted = word.width();
        if used > 0 && used + 1 + wanted > width {
            lines.push(std::mem::replace(&mut line, indent.clone()));
            used = 0;
        } else if used > 0 {
            line.push(' ');
            used += 1;
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if used + wide > width && used > 0 {
                lines.push(std::mem::replace(&mut line, indent.clone()));
                used = 0;
            }
            line.push(c);
            used += wide;
        }
    }
    lines.push(line);
    lines
        .into_iter()
        .map(|line| line.replace(JOINT, " "))
        .collect()
}

/// A space at which no line is broken.
const JOINT: char = '\u{a0}';

/// Text that [`wrap`] keeps on one line if it fits.
pub(crate) fn together(text: &str) -> String {
    text.replace(' ', &JOINT.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(table: &Table, width: usize) -> String {
        anstream::adapter::strip_str(&table.render(width)).to_string()
    }

    fn sample() -> Table {
        let mut table = Table::new(&[
            (Column::Left, "reason"),
            (Column::Wrap, "decided by"),
            (Column::Right, "packets"),
        ]);
        table.row([
            "acl-deny".into(),
            "acl edge, ingress 3 (line 42)".into(),
            "1,234".into(),
        ]);
        table.row(["no-route".into(), "".into(), "7".into()]);
        table
    }

    #[test]
    fn columns_are_aligned() {
        assert_eq!(
            plain(&sample(), 80),
            concat!(
                "reason    decided by                     packets\n",
                "acl-deny  acl edge, ingress 3 (line 42)    1,234\n",
                "no-route                                       7\n",
            )
        );
    }

    #[test]
    fn text_wraps_where_there_is_too_little_room() {
        assert_eq!(
            plain(&sample(), 36),
            concat!(
                "reason    decided by         packets\n",
                "acl-deny  acl edge, ingress    1,234\n",
                "          3 (line 42)\n",
                "no-route                           7\n",
            )
        );
    }

    #[test]
    fn nothing_follows_the_last_text() {
        let mut table = Table::new(&[(Column::Left, "1"), (Column::Left, "2")]);
        table.row(["a long name".into(), "x".into()]);
        table.row(["b".into(), "".into()]);
        assert_eq!(plain(&table, 80), "1            2\na long name  x\nb\n");
    }

    #[test]
    fn columns_without_content_are_left_out() {
        let mut table = Table::new(&[
            (Column::Left, "a"),
            (Column::Left, "b"),
            (Column::Left, "c"),
        ]);
        table.row(["1".into(), "".into(), "3".into()]);
        assert_eq!(plain(&table, 80), "a  c\n1  3\n");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let mut table = Table::new(&[(Column::Left, "1"), (Column::Left, "2")]);
        table.row(["网关".into(), "x".into()]);
        table.row(["abcd".into(), "y".into()]);
        assert_eq!(plain(&table, 80), "1     2\n网关  x\nabcd  y\n");
    }

    #[test]
    fn words_longer_than_a_line_are_broken() {
        assert_eq!(wrap("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("ab cd", 5), ["ab cd"]);
        assert_eq!(wrap("  ab cd", 5), ["  ab", "  cd"]);
        assert_eq!(wrap(&format!("ab {}", together("c d")), 4), ["ab", "c d"]);
    }
}
