//! The corpora of the fuzz targets hold on stable too: everything in fuzz/corpus is replayed.

use std::path::PathBuf;
use vpcsim_testkit::fuzz::TARGETS;

#[test]
fn every_committed_input_holds() {
    for (target, run) in TARGETS {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../fuzz/corpus")
            .join(target);
        let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.expect("the folder can be read").path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{target} has no corpus");
        for file in files {
            let bytes = std::fs::read(&file).expect("the file can be read");
            // The name is what a failure has to be found by.
            println!("{}", file.display());
            run(&bytes);
        }
    }
}
