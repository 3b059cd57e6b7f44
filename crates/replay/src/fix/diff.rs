//! What changed in a file.

use similar::TextDiff;

/// A unified diff with the file's name on both sides, so that `patch -p0` takes it; three lines
/// around each change.
pub(super) fn unified(name: &str, old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    diff.unified_diff()
        .context_radius(3)
        .header(name, name)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::unified;

    #[test]
    fn a_diff_is_what_patch_takes() {
        assert_eq!(
            unified("net.yaml", "a\nb\nc\n", "a\nx\nc\n"),
            "--- net.yaml\n+++ net.yaml\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"
        );
        let end = unified("n", "a\n", "a\nb");
        assert_eq!(
            end,
            "--- n\n+++ n\n@@ -1 +1,2 @@\n a\n+b\n\\ No newline at end of file\n"
        );
    }
}
