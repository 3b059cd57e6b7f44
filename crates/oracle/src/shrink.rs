//! The smallest failing case: delta debugging (Zeller, Hildebrandt 2002), removing only.

/// Removes steps as long as `fails` still holds.
///
/// # Errors
/// The first error of `fails`.
pub(crate) fn shrink<T: Clone, E>(
    steps: Vec<T>,
    mut fails: impl FnMut(&[T]) -> Result<bool, E>,
) -> Result<Vec<T>, E> {
    let mut steps = steps;
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        let mut removed = false;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + size).min(steps.len()));
            if !fewer.is_empty() && fails(&fewer)? {
                steps = fewer;
                removed = true;
            } else {
                at += size;
            }
        }
        if !removed || size > 1 {
            size = if removed {
                size.min(steps.len() / 2).max(1)
            } else {
                size / 2
            };
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_needed_remains() {
        let fails = |steps: &[u32]| Ok::<_, ()>(steps.contains(&3) && steps.contains(&40));
        assert_eq!(shrink((0..50).collect(), fails), Ok(vec![3, 40]));
    }
}
