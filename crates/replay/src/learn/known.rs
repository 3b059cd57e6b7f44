//! Ports that have a name.

/// Services by port, with the word that a host is called by (IANA's names, shortened to what
/// people say).
const SERVICES: [(u16, &str); 45] = [
    (20, "ftp"),
    (21, "ftp"),
    (22, "ssh"),
    (23, "telnet"),
    (25, "mail"),
    (53, "dns"),
    (67, "dhcp"),
    (69, "tftp"),
    (80, "web"),
    (88, "kerberos"),
    (110, "mail"),
    (123, "ntp"),
    (137, "netbios"),
    (138, "netbios"),
    (139, "smb"),
    (143, "mail"),
    (161, "snmp"),
    (389, "ldap"),
    (443, "web"),
    (445, "smb"),
    (465, "mail"),
    (500, "ipsec"),
    (514, "syslog"),
    (587, "mail"),
    (636, "ldap"),
    (993, "mail"),
    (995, "mail"),
    (1433, "sqlserver"),
    (1521, "oracle"),
    (1883, "mqtt"),
    (2049, "nfs"),
    (2379, "etcd"),
    (3306, "mysql"),
    (3389, "rdp"),
    (4500, "ipsec"),
    (4789, "vxlan"),
    (5060, "sip"),
    (5432, "postgres"),
    (5900, "vnc"),
    (6379, "redis"),
    (8080, "web"),
    (8443, "web"),
    (9200, "elastic"),
    (11211, "memcached"),
    (27017, "mongo"),
];

/// What a well-known port is for.
pub(super) fn service_name(port: u16) -> Option<&'static str> {
    let at = SERVICES.binary_search_by_key(&port, |(port, _)| *port);
    at.ok().map(|at| SERVICES[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(SERVICES.is_sorted_by(|(one, _), (other, _)| one < other));
        assert_eq!(service_name(443), Some("web"));
        assert_eq!(service_name(444), None);
    }
}
