//! A capture through a declared network: attribution, verdicts, report.
