//! What a person reads at the end.

use crate::drive::Report;
use crate::exceptions::Exception;
use std::collections::BTreeMap;
use std::fmt;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exceptions: u64 = self.exceptions.values().sum();
        let unexplained = self.unexplained.len() as u64;
        write!(
            f,
            "{:<14} {:>9} {:>9} {:>10} {:>11} {:>7.1} s",
            self.name,
            self.packets,
            self.packets - exceptions - unexplained,
            exceptions,
            unexplained,
            self.took.as_secs_f64()
        )
    }
}

/// The reports as a table, the exceptions with their clauses below it.
#[derive(Debug)]
pub struct Summary<'a>(pub &'a [Report]);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<14} {:>9} {:>9} {:>10} {:>11} {:>9}",
            "area", "packets", "agree", "exceptions", "unexplained", "time"
        )?;
        let mut exceptions: BTreeMap<Exception, u64> = BTreeMap::new();
        for report in self.0 {
            writeln!(f, "{report}")?;
            for (exception, count) in &report.exceptions {
                *exceptions.entry(*exception).or_default() += count;
            }
        }
        let packets: u64 = self.0.iter().map(|report| report.packets).sum();
        writeln!(f, "{:<14} {packets:>9}", "all")?;
        for (exception, count) in exceptions {
            let (clause, reason) = (exception.clause(), exception.reason());
            writeln!(
                f,
                "\nexception {exception}: {count}\n  {clause}\n  {reason}"
            )?;
        }
        Ok(())
    }
}
