//! Where an IP address leads.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads. Ordered: of two readings of one address the later counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Somewhere on the internet.
    Public,
    /// Nowhere that a program has business with: multicast, documentation, benchmarks, what is not assigned.
    Reserved,
    /// A network that is not the internet (RFC 1918, RFC 4193), also behind a carrier (RFC 6598).
    Private,
    /// The machine itself.
    Loopback,
    /// The next machine, whatever its address (RFC 3927, RFC 4291).
    LinkLocal,
    /// Another place at another time: a name that was made to lead inside.
    Rebinding,
    /// The service that gives a machine in a cloud its credentials.
    Metadata,
    /// Nobody knows: readers of addresses take the text differently.
    Unreadable,
}

/// Addresses of services that tell a machine about itself: AWS, Google, Azure and others; AWS for containers; Alibaba; Azure's
/// agent; Oracle.
const METADATA_V4: [Ipv4Addr; 6] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];
/// The same of AWS, and for containers.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

/// Networks of IPv4 that are not the internet (the registry of special addresses of IANA, RFC 6890).
const NETWORKS: [(Ipv4Addr, u32, Reach); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8, Reach::Loopback),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Reach::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Reach::Private),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Reach::Loopback),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Reach::LinkLocal),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Reach::Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Reach::Reserved),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Reach::Reserved),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Reach::Reserved),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Reach::Private),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Reach::Private),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Reach::Reserved),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Reach::Reserved),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Reach::Reserved),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Reach::Reserved),
];

impl Reach {
    /// Where this address leads; an IPv6 address that carries an IPv4 address leads where that does.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        if METADATA_V4.contains(&address) {
            return Self::Metadata;
        }
        let within = |(base, length, _): &&(Ipv4Addr, u32, Self)| {
            (base.to_bits() ^ address.to_bits()).leading_zeros() >= *length
        };
        NETWORKS.iter().find(within).map_or(Self::Public, |(_, _, reach)| *reach)
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let [first, second, ..] = address.segments();
        if METADATA_V6.contains(&address) {
            Self::Metadata
        } else if address.is_loopback() || address.is_unspecified() {
            Self::Loopback
        } else if let Some(inside) = carried(address) {
            Self::of_v4(inside)
        } else if first & 0xffc0 == 0xfe80 {
            Self::LinkLocal
        } else if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 {
            Self::Private
        } else if first & 0xe000 == 0x2000 && (first, second) != (0x2001, 0xdb8) {
            Self::Public
        } else {
            Self::Reserved
        }
    }
}

/// The IPv4 address to which a translator or tunnel takes this one: NAT64 (RFC 6052, 8215), 6to4 (RFC 3056), Teredo (RFC 4380)
/// and the long deprecated compatible form.
pub fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [_, second, third, .., last_but_one, last] = address.segments();
    let join = |high: u16, low: u16| Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] | [0, 0, 0, 0, 0, 0, ..] => {
            join(last_but_one, last)
        }
        [0x2002, ..] => join(second, third),
        // Teredo writes the address of the client with all bits turned.
        [0x2001, 0, ..] => join(!last_but_one, !last),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_where_addresses_lead() {
        for (address, reach) in [
            ("8.8.8.8", Reach::Public),
            ("1.1.1.1", Reach::Public),
            ("172.32.0.1", Reach::Public),
            ("172.15.255.255", Reach::Public),
            ("100.128.0.1", Reach::Public),
            ("169.253.1.1", Reach::Public),
            ("127.0.0.1", Reach::Loopback),
            ("127.255.255.255", Reach::Loopback),
            ("0.0.0.0", Reach::Loopback),
            ("0.1.2.3", Reach::Loopback),
            ("10.1.2.3", Reach::Private),
            ("172.16.0.1", Reach::Private),
            ("172.31.255.255", Reach::Private),
            ("192.168.1.1", Reach::Private),
            ("100.64.0.1", Reach::Private),
            ("198.19.0.1", Reach::Private),
            ("169.254.1.1", Reach::LinkLocal),
            ("169.254.169.254", Reach::Metadata),
            ("169.254.170.2", Reach::Metadata),
            ("100.100.100.200", Reach::Metadata),
            ("168.63.129.16", Reach::Metadata),
            ("192.0.0.192", Reach::Metadata),
            ("192.0.2.1", Reach::Reserved),
            ("224.0.0.1", Reach::Reserved),
            ("255.255.255.255", Reach::Reserved),
            ("2606:4700:4700::1111", Reach::Public),
            ("::1", Reach::Loopback),
            ("::", Reach::Loopback),
            ("fe80::1", Reach::LinkLocal),
            ("fd12::1", Reach::Private),
            ("fec0::1", Reach::Private),
            ("fd00:ec2::254", Reach::Metadata),
            ("ff02::1", Reach::Reserved),
            ("2001:db8::1", Reach::Reserved),
            ("::ffff:127.0.0.1", Reach::Loopback),
            ("::ffff:8.8.8.8", Reach::Public),
            ("::127.0.0.1", Reach::Loopback),
            ("64:ff9b::a9fe:a9fe", Reach::Metadata),
            ("64:ff9b:1::10.0.0.1", Reach::Private),
            ("2002:7f00:1::", Reach::Loopback),
            ("2002:808:808::1", Reach::Public),
            ("2001:0:0:0:0:0:80ff:fffe", Reach::Loopback),
        ] {
            assert_eq!(Reach::of(address.parse().unwrap()), reach, "{address}");
        }
    }
}
