//! Blocks of a matrix that no observed entry connects.

use crate::Entries;

/// Rows and columns that observed entries connect, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Rows.
    pub rows: Vec<usize>,
    /// Columns.
    pub columns: Vec<usize>,
}

/// The connected components of the graph whose edges are the observed entries, by their first column; rows and
/// columns without any entry are in none.
///
/// With two factors the components train independently, bit by bit: rows of W₂ and columns of W₁ of one
/// component have no gradient from another. Deeper networks share their middle factors, and do not separate.
/// O(entries·log) at worst.
pub fn observation_components(entries: &Entries) -> Vec<Component> {
    let (rows, columns) = entries.target.shape();
    // Columns, then rows; each points towards the smallest of its component.
    let mut root: Vec<usize> = (0..columns + rows).collect();
    for place in &entries.observed {
        let (a, b) = (find(&mut root, place / rows), find(&mut root, columns + place % rows));
        root[a.max(b)] = a.min(b);
    }
    let of = |root: &mut [usize], first: usize| Component {
        rows: (0..rows).filter(|row| find(root, columns + row) == first).collect(),
        columns: (0..columns).filter(|column| find(root, *column) == first).collect(),
    };
    let first: Vec<usize> = (0..columns).filter(|column| find(&mut root, *column) == *column).collect();
    let all = first.into_iter().map(|first| of(&mut root, first));
    all.filter(|component| !component.rows.is_empty()).collect()
}

fn find(root: &mut [usize], mut node: usize) -> usize {
    while root[node] != node {
        root[node] = root[root[node]];
        node = root[node];
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;
    use taut_numerics::DMatrix;

    #[test]
    fn entries_that_share_a_row_or_a_column_are_in_one_component() {
        // Entries (0,0), (2,0), (1,1), (2,3); column 2 has none.
        let entries = Entries { target: DMatrix::zeros(3, 4), observed: vec![0, 2, 4, 11] };
        let expected =
            [Component { rows: vec![0, 2], columns: vec![0, 3] }, Component { rows: vec![1], columns: vec![1] }];
        assert_eq!(observation_components(&entries), expected);
    }
}
