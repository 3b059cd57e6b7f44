//! Sequence numbers (SEMANTICS §6, `tcp_window: track`).

use super::{check, check_tracked};

fn tracked(rest: &str) {
    check_tracked(&format!(
        "
        > S                => SYN_SENT 120
        < SA               => SYN_RECV 60
        > A                => ESTABLISHED 432000
        < A                => ESTABLISHED 432000
        {rest}"
    ));
}

#[test]
fn data_may_overshoot_the_window_by_about_one_more() {
    // Seen on kernel 6.18: the last good start of one byte is 2·win−2.
    tracked("> A len=1 seq=10000   => ESTABLISHED 300");
    tracked("> A len=1 seq=10001   => ignored ESTABLISHED 432000");
    tracked("> A len=1 seq=19998   => ignored ESTABLISHED 432000");
    tracked("> A len=1 seq=19999   => SequenceAhead ESTABLISHED 432000");
}

#[test]
fn data_acknowledged_long_ago_passes_but_proves_nothing() {
    tracked(
        "
        wait 9
        > A len=1 seq=-10000  => ESTABLISHED 432000
        wait 9
        > A len=1 seq=-10001  => ESTABLISHED 432000
        wait 9
        > A len=1 seq=-10002  => ignored ESTABLISHED 431991
        ",
    );
}

#[test]
fn an_acknowledgment_of_what_was_never_sent_is_invalid() {
    tracked("> A ack=1             => AcknowledgmentAhead ESTABLISHED 432000");
}

#[test]
fn a_very_old_acknowledgment_passes_but_proves_nothing() {
    tracked("> A ack=-66000        => ESTABLISHED 432000");
    tracked("> A ack=-66001        => ignored ESTABLISHED 432000");
}

#[test]
fn windows_are_scaled_when_both_ends_offer_it() {
    let scaled = "
        > S scale=3        => SYN_SENT 120
        < SA scale=7       => SYN_RECV 60
        > A                => ESTABLISHED 432000
        < A win=1000       => ESTABLISHED 432000
    ";
    check_tracked(&format!(
        "{scaled}
        > A len=1 seq=128000 => ESTABLISHED 300"
    ));
    let one_sided = scaled.replace("< SA scale=7", "< SA");
    check_tracked(&format!(
        "{one_sided}
        > A len=1 seq=128000 => SequenceAhead ESTABLISHED 432000"
    ));
}

#[test]
fn a_selective_acknowledgment_counts_as_the_highest_edge_it_names() {
    // The sack of one end is judged only where the other understands it.
    let talk = |offer: &str, answer: &str| {
        format!(
            "
            > S {offer}            => SYN_SENT 120
            < SA {offer}           => SYN_RECV 60
            > A                    => ESTABLISHED 432000
            > A len=100 lost       => ESTABLISHED 300
            < A sack=101           => {answer}"
        )
    };
    check_tracked(&talk("sackok", "AcknowledgmentAhead ESTABLISHED 300"));
    check_tracked(&talk("scale=0", "ESTABLISHED 300"));
}

#[test]
fn sequence_numbers_wrap() {
    tracked("");
    check_tracked(
        "
        > S isn=4294967295 => SYN_SENT 120
        < SA isn=4294967290 => SYN_RECV 60
        > A                => ESTABLISHED 432000
        < PA len=100       => ESTABLISHED 300
        > PA len=100       => ESTABLISHED 300
        < A                => ESTABLISHED 432000
        > A ack=1          => AcknowledgmentAhead ESTABLISHED 432000
        ",
    );
}

#[test]
fn under_ignore_nothing_is_out_of_window() {
    check(
        "
        > S                    => SYN_SENT 120
        < SA                   => SYN_RECV 60
        > A                    => ESTABLISHED 432000
        < A                    => ESTABLISHED 432000
        wait 5
        > A len=1 seq=3000000  => ESTABLISHED 432000
        > A ack=3000000        => ESTABLISHED 432000
        < FA seq=-3000000      => FIN_WAIT 120
        ",
    );
}

#[test]
fn a_rst_far_behind_the_window_passes_but_closes_nothing() {
    check_tracked(
        "
        > S                => SYN_SENT 120
        < SA               => SYN_RECV 60
        < RA seq==0        => ignored SYN_RECV 60
        ",
    );
}

#[test]
fn data_beyond_a_gap_widens_the_window() {
    let talk = |answer: &str, rest: &str| {
        format!(
            "
            > S sackok             => SYN_SENT 120
            < SA sackok            => SYN_RECV 60
            > A                    => ESTABLISHED 432000
            > A len=5000 lost      => ESTABLISHED 300
            {answer}               => ESTABLISHED 300
            wait 9
            {rest}"
        )
    };
    let late = "> A len=1 seq=-15001";
    check_tracked(&talk(
        "< A sack=5000",
        &format!("{late} => ESTABLISHED 300"),
    ));
    check_tracked(&talk("< A", &format!("{late} => ignored ESTABLISHED 291")));
}
