//! TCP connections that begin (SEMANTICS §6, "TCP states and timeouts").

use super::conversation::compare;
use super::{check, check_tracked};
use vpcsim_network::TcpWindow;

const TALK: &str = "
    > S              => SYN_SENT 120
    < SA             => SYN_RECV 60
    > A              => ESTABLISHED 432000
    > PA len=100     => ESTABLISHED 300     # unacknowledged data
    < A              => ESTABLISHED 432000
    < PA len=100     => ESTABLISHED 300
    > A              => ESTABLISHED 432000
";

#[test]
fn a_handshake_and_data_both_ways() {
    check(TALK);
    check_tracked(TALK);
}

#[test]
fn a_syn_that_is_sent_again_does_not_prolong_the_wait() {
    for check in [check, check_tracked] {
        check(
            "
            > S                => SYN_SENT 120
            wait 100
            > S seq=-1         => ignored SYN_SENT 20
            wait 20
            > S seq=-1         => gone SYN_SENT 120
            ",
        );
    }
}

#[test]
fn a_syn_with_a_later_sequence_number_begins_anew_while_unanswered() {
    check_tracked(
        "
        > S isn=1000       => SYN_SENT 120
        > S isn=9000       => ignored SYN_SENT 120
        < SA               => SYN_RECV 60
        > A                => ESTABLISHED 432000
        ",
    );
}

#[test]
fn a_syn_ack_that_is_sent_again_does_not_leave_it_half_open() {
    for check in [check, check_tracked] {
        check(
            "
            > S                => SYN_SENT 120
            < SA               => SYN_RECV 60
            wait 10
            < SA seq=-1        => ignored SYN_RECV 50
            > A                => ESTABLISHED 432000
            < SA seq=-1        => ignored ESTABLISHED 432000
            > A                => ESTABLISHED 432000
            ",
        );
    }
}

#[test]
fn a_refused_connection_is_forgotten_at_once() {
    for check in [check, check_tracked] {
        check(
            "
            > S                => SYN_SENT 120
            < RA seq==0        => ends
            < A                => midstream ESTABLISHED 300
            ",
        );
    }
}

#[test]
fn a_half_open_connection_times_out() {
    check(
        "
        > S                => SYN_SENT 120
        < SA               => SYN_RECV 60
        wait 59.9
        < SA seq=-1        => ignored SYN_RECV 0
        wait 0.1
        < SA seq=-1        => gone NotAnOpening
        ",
    );
}

#[test]
fn both_ends_may_open_at_once() {
    for check in [check, check_tracked] {
        check(
            "
            > S                => SYN_SENT 120
            < S                => ignored SYN_SENT2 120
            > SA seq=-1        => SYN_RECV 60
            < SA seq=-1        => ignored SYN_RECV 60
            < A                => ESTABLISHED 432000
            > A                => ESTABLISHED 432000
            ",
        );
    }
}

#[test]
fn a_server_that_remembers_what_the_client_forgot_is_reset_and_retried() {
    // The server answers the SYN with an ACK of the old connection, the client
    // resets that, and its next SYN opens (RFC 9293 §3.5.1, half-open).
    check_tracked(
        "
        > S isn=7000       => SYN_SENT 120
        < A ack==3000      => ignored SYN_SENT 120
        > R seq==3000      => CLOSE 10
        > S seq==7000      => reopen SYN_SENT 120
        ",
    );
}

#[test]
fn the_rst_that_answers_such_an_ack_need_not_be_in_window() {
    // Seen on kernel 6.18.
    let talk = "
        > S                => SYN_SENT 120
        < A seq==3000000 ack==4000000 => ignored SYN_SENT 120
    ";
    check_tracked(&format!("{talk} > R seq==4000000 => CLOSE 10"));
    check_tracked(&format!(
        "{talk} > R seq==4000001 => SequenceAhead SYN_SENT 120"
    ));
}

#[test]
fn what_never_comes_first() {
    for check in [check, check_tracked] {
        for packet in ["> SA", "> FA", "> R", "> RA"] {
            check(&format!("{packet} => NotAnOpening"));
        }
        for packet in [
            "> SF", "> SR", "> 0", "> F", "> P", "> SAU", "> RU", "> SFA",
        ] {
            check(&format!("{packet} => Flags"));
        }
    }
}

#[test]
fn flags_that_go_with_anything_are_not_looked_at() {
    check("> SU => SYN_SENT 120");
    check("> SP => SYN_SENT 120");
    check("> AUP => midstream ESTABLISHED 300");
}

#[test]
fn impossible_flags_are_invalid_within_a_connection_and_change_nothing() {
    for check in [check, check_tracked] {
        check(
            "
            > S                => SYN_SENT 120
            < SA               => SYN_RECV 60
            > A                => ESTABLISHED 432000
            wait 5
            > SF seq=0         => Flags ESTABLISHED 431995
            > A                => ESTABLISHED 432000
            ",
        );
    }
}

#[test]
fn a_client_that_acknowledges_before_the_answer_is_invalid() {
    for check in [check, check_tracked] {
        check(
            "
            > S                => SYN_SENT 120
            > A                => OutOfState SYN_SENT 120
            > FA               => OutOfState SYN_SENT 120
            > SA               => OutOfState SYN_SENT 120
            < FA               => OutOfState SYN_SENT 120
            ",
        );
    }
}

#[test]
fn a_server_that_sends_a_syn_is_invalid() {
    for check in [check, check_tracked] {
        check(
            "
            > S                => SYN_SENT 120
            < SA               => SYN_RECV 60
            < S seq=0          => OutOfState SYN_RECV 60
            > A                => ESTABLISHED 432000
            < S seq=0          => OutOfState ESTABLISHED 432000
            ",
        );
    }
}

#[test]
fn mid_stream_drop_picks_nothing_up() {
    // SEMANTICS §6: `mid_stream: drop`.
    compare("> A => NotAnOpening", TcpWindow::Ignore, false);
    compare("> PA len=5 => NotAnOpening", TcpWindow::Track, false);
    compare("> S => SYN_SENT 120", TcpWindow::Track, false);
}
