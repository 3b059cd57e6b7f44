//! TCP connections that were picked up in their middle (SEMANTICS §6,
//! `mid_stream`), and segments that are sent again.

use super::{check, check_tracked};

#[test]
fn a_connection_picked_up_is_established_but_not_trusted_until_answered() {
    for check in [check, check_tracked] {
        check(
            "
            > A                => midstream ESTABLISHED 300
            < A                => ESTABLISHED 300
            > A                => ESTABLISHED 432000
            ",
        );
    }
}

#[test]
fn nothing_is_out_of_window_in_a_connection_picked_up() {
    check_tracked(
        "
        > PA len=100       => midstream ESTABLISHED 300
        < A                => ESTABLISHED 300
        > PA len=100 seq=3000000 => ESTABLISHED 432000
        < A ack=900000     => ESTABLISHED 432000
        ",
    );
}

#[test]
fn a_connection_picked_up_at_its_end_closes_like_any() {
    for check in [check, check_tracked] {
        check(
            "
            > A                => midstream ESTABLISHED 300
            < FA               => FIN_WAIT 120
            > FA               => LAST_ACK 30
            < A                => TIME_WAIT 120
            ",
        );
    }
}

#[test]
fn a_rst_that_is_the_only_answer_forgets_it() {
    for check in [check, check_tracked] {
        check(
            "
            > PA len=10        => midstream ESTABLISHED 300
            < R                => ends
            ",
        );
    }
}

#[test]
fn a_segment_sent_four_times_shortens_the_wait() {
    // `nf_conntrack_tcp_max_retrans` 3, its timeout 300 s.
    for check in [check, check_tracked] {
        check(
            "
            > S                => SYN_SENT 120
            < SA               => SYN_RECV 60
            > A                => ESTABLISHED 432000
            < A                => ESTABLISHED 432000
            < A                => ESTABLISHED 432000
            < A                => ESTABLISHED 432000
            < A                => ESTABLISHED 300
            > A                => ESTABLISHED 432000
            ",
        );
    }
}

#[test]
fn a_closed_window_shortens_the_wait() {
    for check in [check, check_tracked] {
        check(
            "
            > S                => SYN_SENT 120
            < SA               => SYN_RECV 60
            > A                => ESTABLISHED 432000
            < A win=0          => ESTABLISHED 300
            < A                => ESTABLISHED 432000
            ",
        );
    }
}
