//! TCP connections that end, and their ports used again (SEMANTICS §6).

use super::{check, check_tracked};

fn after_handshake(check: fn(&str), rest: &str) {
    check(&format!(
        "
        > S                => SYN_SENT 120
        < SA               => SYN_RECV 60
        > A                => ESTABLISHED 432000
        {rest}"
    ));
}

fn both(rest: &str) {
    after_handshake(check, rest);
    after_handshake(check_tracked, rest);
}

#[test]
fn the_client_closes_first() {
    both(
        "
        > FA               => FIN_WAIT 120
        < A                => CLOSE_WAIT 60
        < FA               => LAST_ACK 30
        > A                => TIME_WAIT 120
        ",
    );
}

#[test]
fn the_server_closes_first() {
    both(
        "
        < FA               => FIN_WAIT 120
        > A                => CLOSE_WAIT 60
        > PA len=20        => CLOSE_WAIT 60
        > FA               => LAST_ACK 30
        < A                => TIME_WAIT 120
        ",
    );
}

#[test]
fn both_close_at_once() {
    both(
        "
        > FA lost          => FIN_WAIT 120
        < FA               => LAST_ACK 30
        > A                => TIME_WAIT 120
        < A                => TIME_WAIT 120
        ",
    );
}

#[test]
fn a_fin_answered_by_fin_and_ack_in_one() {
    both(
        "
        > FA               => FIN_WAIT 120
        < FA               => LAST_ACK 30
        > A                => TIME_WAIT 120
        wait 119
        > A                => TIME_WAIT 120
        wait 120
        > A                => gone midstream ESTABLISHED 300
        ",
    );
}

#[test]
fn a_syn_in_time_wait_opens_anew_from_either_end() {
    both(
        "
        > FA               => FIN_WAIT 120
        < FA               => LAST_ACK 30
        > A                => TIME_WAIT 120
        > S isn=2000000    => reopen SYN_SENT 120
        < SA isn=8000000   => SYN_RECV 60
        > A                => ESTABLISHED 432000
        ",
    );
    both(
        "
        < FA               => FIN_WAIT 120
        > FA               => LAST_ACK 30
        < A                => TIME_WAIT 120
        < S                => reopen SYN_SENT 120
        ",
    );
}

#[test]
fn a_syn_before_the_close_is_complete_passes_and_reopens_nothing() {
    both(
        "
        > FA               => FIN_WAIT 120
        > S seq=50         => ignored FIN_WAIT 120
        < FA               => LAST_ACK 30
        > S seq=50         => ignored LAST_ACK 30
        ",
    );
}

#[test]
fn a_challenge_ack_is_not_the_last_ack() {
    // RFC 5961 §4; kernel selftests, "challenge ACK on SYN".
    both(
        "
        < FA               => FIN_WAIT 120
        > FA               => LAST_ACK 30
        > S seq=5000       => ignored LAST_ACK 30
        < A                => ignored LAST_ACK 30
        < A                => TIME_WAIT 120
        ",
    );
}

#[test]
fn a_rst_of_the_flow_closes_it() {
    both(
        "
        < R                => CLOSE 10
        wait 10
        > S isn=2000000    => gone SYN_SENT 120
        ",
    );
}

#[test]
fn sequence_numbers_of_a_rst_are_judged_only_when_tracked() {
    // SEMANTICS §6, `tcp_window: ignore`: a RST of the flow closes it.
    after_handshake(check, "< R seq=-5000      => CLOSE 10");
    after_handshake(check, "< R seq=5          => CLOSE 10");
    after_handshake(
        check_tracked,
        "
        < R seq=-5         => OldReset ESTABLISHED 432000
        > PA len=10        => ESTABLISHED 300
        < PA len=10        => ESTABLISHED 300
        > A                => ESTABLISHED 432000
        < R seq=5          => ESTABLISHED 10     # passes, to be challenged
        > A                => ESTABLISHED 300
        < R                => CLOSE 10
        ",
    );
}

#[test]
fn a_rst_right_after_the_data_of_its_sender_is_exact() {
    after_handshake(
        check_tracked,
        "
        < A                => ESTABLISHED 432000
        < PA len=19 lost   => ESTABLISHED 300
        < RA               => CLOSE 10
        ",
    );
}

#[test]
fn a_rst_out_of_window_is_invalid_when_tracked() {
    after_handshake(
        check_tracked,
        "
        > A                => ESTABLISHED 432000
        < A                => ESTABLISHED 432000
        < R seq=50000      => SequenceAhead ESTABLISHED 432000
        ",
    );
}

#[test]
fn ends_that_close_out_of_window_are_not_remembered_for_days() {
    after_handshake(
        check_tracked,
        "
        < A                => ESTABLISHED 432000
        > FA seq=50000     => SequenceAhead ESTABLISHED 432000
        < FA seq=50000     => SequenceAhead ESTABLISHED 300
        wait 200
        < FA seq=50000     => SequenceAhead ESTABLISHED 100
        ",
    );
}

#[test]
fn the_client_that_reset_may_open_again_at_once() {
    both(
        "
        > R                => CLOSE 10
        > S isn=2000000    => reopen SYN_SENT 120
        ",
    );
}

#[test]
fn after_the_servers_rst_a_syn_passes_and_its_answer_reopens() {
    // Seen on kernel 6.18: client data, then a client SYN after the server's
    // RST passes as ESTABLISHED and does not reopen.
    both(
        "
        < R                => CLOSE 10
        > PA len=10        => CLOSE 10
        > S isn=2000000    => ignored CLOSE 10
        < SA isn=8000000   => SYN_RECV 60
        > A                => ESTABLISHED 432000
        ",
    );
}

#[test]
fn a_syn_in_an_established_connection_is_let_through_and_learned_from_its_answer() {
    // A client that crashed and picked the same port.
    both(
        "
        wait 10
        > S isn=2000000    => ignored ESTABLISHED 431990
        < SA isn=8000000   => SYN_RECV 60
        > A                => ESTABLISHED 432000
        > PA len=10        => ESTABLISHED 300
        ",
    );
}

#[test]
fn the_challenge_of_a_stray_syn_is_answered_by_a_rst_that_closes() {
    after_handshake(
        check_tracked,
        "
        < A                    => ESTABLISHED 432000
        > S seq==2000000       => ignored ESTABLISHED 432000
        < A                    => ESTABLISHED 432000
        > R                    => CLOSE 10
        > S seq==2000000       => reopen SYN_SENT 120
        ",
    );
}

#[test]
fn a_rst_that_refuses_a_syn_comes_from_the_other_end() {
    // Seen on kernel 6.18: out of window, such a RST closes only when it is
    // not the SYN's own sender that resets.
    check_tracked(
        "
        > S                => SYN_SENT 120
        < SA ack=-100000   => ignored SYN_SENT 120
        > R seq=9000000    => SequenceAhead SYN_SENT 120
        < R seq=9000000    => CLOSE 10
        ",
    );
    check_tracked(
        "
        > S                => SYN_SENT 120
        < S                => ignored SYN_SENT2 120
        < R seq=9000000    => SequenceAhead SYN_SENT2 120
        > R seq=9000000    => CLOSE 10
        ",
    );
}
