//! Link types and their names.

use std::fmt;

/// What the packets of an interface start with: a number of <https://www.tcpdump.org/linktypes.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(
    /// The number, as in the file.
    pub u32,
);

impl LinkType {
    /// BSD loopback: an address family in the byte order of the machine.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// PPP, with or without HDLC-like framing.
    pub const PPP: Self = Self(9);
    /// Raw IP as most BSDs and Linux number it inside (`DLT_RAW`); found in files all the same.
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP as OpenBSD numbers it.
    pub const RAW_OPENBSD: Self = Self(14);
    /// PPP in HDLC-like framing, or Cisco HDLC.
    pub const PPP_HDLC: Self = Self(50);
    /// Raw IP: the packet starts with an IPv4 or IPv6 header.
    pub const RAW: Self = Self(101);
    /// Cisco HDLC.
    pub const C_HDLC: Self = Self(104);
    /// OpenBSD loopback: an address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux "cooked" capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux "cooked" capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);

    /// Its name, without `LINKTYPE_`, if it is a common one.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "NULL",
            1 => "ETHERNET",
            2 => "EXP_ETHERNET",
            3 => "AX25",
            4 => "PRONET",
            5 => "CHAOS",
            6 => "IEEE802_5",
            7 => "ARCNET_BSD",
            8 => "SLIP",
            9 => "PPP",
            10 => "FDDI",
            12 | 14 | 101 => "RAW",
            50 => "PPP_HDLC",
            51 => "PPP_ETHER",
            99 => "SYMANTEC_FIREWALL",
            100 => "ATM_RFC1483",
            104 => "C_HDLC",
            105 => "IEEE802_11",
            107 => "FRELAY",
            108 => "LOOP",
            109 => "ENC",
            113 => "LINUX_SLL",
            114 => "LTALK",
            117 => "PFLOG",
            119 => "IEEE802_11_PRISM",
            122 => "IP_OVER_FC",
            123 => "SUNATM",
            127 => "RADIOTAP",
            129 => "ARCNET_LINUX",
            130 => "JUNIPER_MLPPP",
            135 => "JUNIPER_ATM2",
            137 => "JUNIPER_ATM1",
            138 => "APPLE_IP_OVER_IEEE1394",
            139 => "MTP2_WITH_PHDR",
            140 => "MTP2",
            141 => "MTP3",
            142 => "SCCP",
            143 => "DOCSIS",
            144 => "LINUX_IRDA",
            147..=162 => "USER",
            163 => "IEEE802_11_AVS",
            165 => "BACNET_MS_TP",
            166 => "PPP_PPPD",
            169 => "GPRS_LLC",
            170 => "GPF_T",
            177 => "LINUX_LAPD",
            182 => "MFR",
            187 => "BLUETOOTH_HCI_H4",
            189 => "USB_LINUX",
            192 => "PPI",
            195 => "IEEE802_15_4_WITHFCS",
            196 => "SITA",
            197 => "ERF",
            201 => "BLUETOOTH_HCI_H4_WITH_PHDR",
            202 => "AX25_KISS",
            203 => "LAPD",
            204 => "PPP_WITH_DIR",
            205 => "C_HDLC_WITH_DIR",
            206 => "FRELAY_WITH_DIR",
            207 => "LAPB_WITH_DIR",
            209 => "IPMB_LINUX",
            215 => "IEEE802_15_4_NONASK_PHY",
            220 => "USB_LINUX_MMAPPED",
            224 => "FC_2",
            225 => "FC_2_WITH_FRAME_DELIMS",
            226 => "IPNET",
            227 => "CAN_SOCKETCAN",
            228 => "IPV4",
            229 => "IPV6",
            230 => "IEEE802_15_4_NOFCS",
            231 => "DBUS",
            235 => "DVB_CI",
            236 => "MUX27010",
            237 => "STANAG_5066_D_PDU",
            239 => "NFLOG",
            240 => "NETANALYZER",
            241 => "NETANALYZER_TRANSPARENT",
            242 => "IPOIB",
            243 => "MPEG_2_TS",
            244 => "NG40",
            245 => "NFC_LLCP",
            247 => "INFINIBAND",
            248 => "SCTP",
            249 => "USBPCAP",
            250 => "RTAC_SERIAL",
            251 => "BLUETOOTH_LE_LL",
            252 => "WIRESHARK_UPPER_PDU",
            253 => "NETLINK",
            254 => "BLUETOOTH_LINUX_MONITOR",
            255 => "BLUETOOTH_BREDR_BB",
            256 => "BLUETOOTH_LE_LL_WITH_PHDR",
            257 => "PROFIBUS_DL",
            258 => "PKTAP",
            259 => "EPON",
            260 => "IPMI_HPM_2",
            261 => "ZWAVE_R1_R2",
            262 => "ZWAVE_R3",
            263 => "WATTSTOPPER_DLM",
            264 => "ISO_14443",
            265 => "RDS",
            266 => "USB_DARWIN",
            268 => "SDLC",
            270 => "LORATAP",
            271 => "VSOCK",
            272 => "NORDIC_BLE",
            273 => "DOCSIS31_XRA31",
            274 => "ETHERNET_MPACKET",
            275 => "DISPLAYPORT_AUX",
            276 => "LINUX_SLL2",
            279 => "OPENVIZSLA",
            280 => "EBHSCR",
            281 => "VPP_DISPATCH",
            282 => "DSA_TAG_BRCM",
            283 => "IEEE802_15_4_TAP",
            284 => "DSA_TAG_DSA",
            285 => "ELEE",
            288 => "USB_2_0",
            _ => return None,
        })
    }
}

impl fmt::Display for LinkType {
    /// Name and number: `RADIOTAP (127)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "link type {}", self.0),
        }
    }
}
