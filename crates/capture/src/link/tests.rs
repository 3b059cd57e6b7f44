use super::*;

fn find(link_type: LinkType, data: &[u8]) -> Link {
    ipv4_payload(link_type, data, data.len() as u32)
}

fn ethernet_frame(rest: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; 12];
    frame.extend_from_slice(rest);
    frame
}

fn ipv4(offset: usize, vlan: Option<u16>) -> Link {
    Link::Ipv4 { offset, vlan }
}

#[test]
fn ethernet_is_looked_through_to_ipv4() {
    assert_eq!(
        find(LinkType::ETHERNET, &ethernet_frame(&[0x08, 0, 0x45])),
        ipv4(14, None)
    );
    let tagged = [0x81, 0, 0x60, 5, 0x08, 0, 0x45];
    assert_eq!(
        find(LinkType::ETHERNET, &ethernet_frame(&tagged)),
        ipv4(18, Some(5))
    );
    for outer in [[0x88, 0xa8], [0x91, 0], [0x92, 0], [0x81, 0]] {
        let mut stacked = outer.to_vec();
        stacked.extend_from_slice(&[0x0f, 0xff, 0x81, 0, 0, 7, 0x81, 0, 0xe0, 9, 0x08, 0]);
        assert_eq!(
            find(LinkType::ETHERNET, &ethernet_frame(&stacked)),
            ipv4(26, Some(9))
        );
    }
}

#[test]
fn llc_and_snap_may_carry_ipv4() {
    let snap = [0, 40, 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0, 0x45];
    assert_eq!(
        find(LinkType::ETHERNET, &ethernet_frame(&snap)),
        ipv4(22, None)
    );
    let bridged = [0, 40, 0xaa, 0xaa, 3, 0, 0, 0xf8, 0x08, 0x06];
    assert_eq!(
        find(LinkType::ETHERNET, &ethernet_frame(&bridged)),
        Link::Other(Other::Arp)
    );
    let direct = [0, 40, 6, 6, 3, 0x45];
    assert_eq!(
        find(LinkType::ETHERNET, &ethernet_frame(&direct)),
        ipv4(17, None)
    );
    let spanning_tree = [0, 38, 0x42, 0x42, 3];
    assert_eq!(
        find(LinkType::ETHERNET, &ethernet_frame(&spanning_tree)),
        Link::Other(Other::Llc(0x42))
    );
    let tagged = [0x81, 0, 0, 1, 0, 40, 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0];
    assert_eq!(
        find(LinkType::ETHERNET, &ethernet_frame(&tagged)),
        ipv4(26, Some(1))
    );
}

#[test]
fn what_is_not_ipv4_is_named() {
    let named = |ethertype: [u8; 2]| match find(LinkType::ETHERNET, &ethernet_frame(&ethertype)) {
        Link::Other(other) => other.to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(named([0x08, 0x06]), "ARP");
    assert_eq!(named([0x86, 0xdd]), "IPv6");
    assert_eq!(named([0x88, 0x47]), "MPLS");
    assert_eq!(named([0x88, 0x64]), "PPPoE");
    assert_eq!(named([0x88, 0xcc]), "LLDP");
    assert_eq!(named([0x12, 0x34]), "ethertype 0x1234");
    assert_eq!(LinkType(127).to_string(), "RADIOTAP (127)");
    assert_eq!(LinkType(4711).to_string(), "link type 4711");
    assert_eq!(
        find(LinkType(127), &[0; 40]),
        Link::Unsupported(LinkType(127))
    );
}

#[test]
fn raw_packets_tell_their_version() {
    for link_type in [LinkType::RAW, LinkType::RAW_BSD, LinkType::RAW_OPENBSD] {
        assert_eq!(find(link_type, &[0x45]), ipv4(0, None));
        assert_eq!(find(link_type, &[0x60]), Link::Other(Other::Ipv6));
        assert_eq!(find(link_type, &[0x00]), Link::Other(Other::IpVersion(0)));
    }
    assert_eq!(find(LinkType::IPV4, &[]), ipv4(0, None));
    assert_eq!(find(LinkType::IPV6, &[]), Link::Other(Other::Ipv6));
}

#[test]
fn loopback_families_are_read_in_their_byte_order() {
    assert_eq!(find(LinkType::NULL, &[2, 0, 0, 0, 0x45]), ipv4(4, None));
    assert_eq!(find(LinkType::NULL, &[0, 0, 0, 2, 0x45]), ipv4(4, None));
    assert_eq!(
        find(LinkType::NULL, &[30, 0, 0, 0]),
        Link::Other(Other::Ipv6)
    );
    assert_eq!(
        find(LinkType::NULL, &[0, 0, 0, 7]),
        Link::Other(Other::Family(7))
    );
    assert_eq!(find(LinkType::LOOP, &[0, 0, 0, 2]), ipv4(4, None));
    assert_eq!(
        find(LinkType::LOOP, &[2, 0, 0, 0]),
        Link::Other(Other::Family(0x0200_0000))
    );
}

#[test]
fn cooked_captures_use_ethertypes() {
    let mut v1 = [0; 16];
    v1[14] = 0x08;
    assert_eq!(find(LinkType::LINUX_SLL, &v1), ipv4(16, None));
    v1[14..16].copy_from_slice(&[0, 1]);
    assert_eq!(
        find(LinkType::LINUX_SLL, &v1),
        Link::Other(Other::Ethertype(1))
    );
    let mut v2 = [0; 20];
    v2[0] = 0x08;
    assert_eq!(find(LinkType::LINUX_SLL2, &v2), ipv4(20, None));
    let mut llc = vec![0; 14];
    llc.extend_from_slice(&[0, 4, 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0]);
    assert_eq!(find(LinkType::LINUX_SLL, &llc), ipv4(24, None));
}

#[test]
fn ppp_is_read_framed_bare_and_compressed() {
    assert_eq!(
        find(LinkType::PPP, &[0xff, 3, 0, 0x21, 0x45]),
        ipv4(4, None)
    );
    assert_eq!(find(LinkType::PPP, &[0, 0x21, 0x45]), ipv4(2, None));
    assert_eq!(find(LinkType::PPP, &[0x21, 0x45]), ipv4(1, None));
    assert_eq!(find(LinkType::PPP, &[0xff, 3, 0x21, 0x45]), ipv4(3, None));
    assert_eq!(
        find(LinkType::PPP, &[0xff, 3, 0, 0x57]),
        Link::Other(Other::Ipv6)
    );
    assert_eq!(
        find(LinkType::PPP, &[0xff, 3, 0x02, 0x81]),
        Link::Other(Other::Mpls)
    );
    assert_eq!(
        find(LinkType::PPP, &[0xc0, 0x21]),
        Link::Other(Other::Ppp(0xc021))
    );
    assert_eq!(find(LinkType::PPP_HDLC, &[0xff, 3, 0, 0x21]), ipv4(4, None));
    assert_eq!(find(LinkType::PPP_HDLC, &[0x0f, 0, 0x08, 0]), ipv4(4, None));
    assert_eq!(find(LinkType::C_HDLC, &[0x8f, 0, 0x08, 0]), ipv4(4, None));
    assert_eq!(
        find(LinkType::C_HDLC, &[0x8f, 0, 0x80, 0x35]),
        Link::Other(Other::Ethertype(0x8035))
    );
}

#[test]
fn a_header_cut_short_says_what_it_wants_and_who_cut_it() {
    let whole = ethernet_frame(&[0x81, 0, 0, 1, 0, 40, 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0]);
    for len in 0..whole.len() {
        for (original_len, by_capture) in [(len, false), (len + 1, true)] {
            match ipv4_payload(LinkType::ETHERNET, &whole[..len], original_len as u32) {
                Link::Truncated {
                    wanted,
                    got,
                    by_capture: by,
                } => {
                    assert!(wanted > len);
                    assert_eq!((got, by), (len, by_capture));
                }
                other => panic!("{other:?} from {len} bytes"),
            }
        }
    }
}

#[test]
fn no_bytes_of_any_link_type_panic_or_point_outside() {
    // A small generator (xorshift): link headers branch on few bytes, so repetition finds them.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let likely = [
        0x00, 0x02, 0x03, 0x06, 0x08, 0x21, 0x45, 0x81, 0x88, 0xa8, 0xaa, 0xff,
    ];
    for _ in 0..20_000 {
        let len = byte() as usize % 40;
        let data: Vec<u8> = (0..len)
            .map(|_| likely[byte() as usize % likely.len()])
            .collect();
        for number in 0..300 {
            if let Link::Ipv4 { offset, .. } = find(LinkType(number), &data) {
                assert!(offset <= data.len());
            }
        }
    }
}
