//! The system calls that std has no words for. The only unsafe code of the crate.
#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Whether this process may make namespaces.
pub(crate) fn is_root() -> bool {
    // SAFETY: geteuid takes nothing, changes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// Moves the calling thread into a network namespace of its own and returns a handle on it.
/// The namespace is gone when the thread has left it and every descriptor made in it is closed.
///
/// # Errors
/// Without the privilege, or without `/proc`.
pub(crate) fn new_net_namespace() -> io::Result<File> {
    // SAFETY: unshare has no memory arguments; CLONE_NEWNET changes the calling thread only.
    checked(unsafe { libc::unshare(libc::CLONE_NEWNET) })?;
    File::open("/proc/thread-self/ns/net")
}

/// Moves the calling thread into a namespace made by [`new_net_namespace`].
///
/// # Errors
/// Without the privilege.
pub(crate) fn enter_net_namespace(namespace: &File) -> io::Result<()> {
    // SAFETY: the descriptor is open while `namespace` is borrowed; setns has no memory arguments.
    checked(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) })?;
    Ok(())
}

/// Makes a TUN interface in the thread's namespace: a write is a packet that arrives at it, a
/// read one that leaves by it. Never blocks; gone when closed.
///
/// # Errors
/// Without the privilege or the device, or when the name is taken or too long.
pub(crate) fn open_tun(name: &str) -> io::Result<File> {
    let tun = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open("/dev/net/tun")?;
    // SAFETY: all zeros is a valid ifreq, a struct of integers and a union of them.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if name.len() >= request.ifr_name.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: TUNSETIFF reads and writes one ifreq, which `request` is and outlives the call.
    checked(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF as _, &raw mut request) })?;
    Ok(tun)
}

/// A socket that reads every packet of `protocol` that the namespace delivers to itself, from
/// its IPv4 header on. Never blocks.
///
/// # Errors
/// Without the privilege.
pub(crate) fn local_packets(protocol: u8) -> io::Result<File> {
    socket(
        libc::AF_INET,
        libc::SOCK_RAW | libc::SOCK_NONBLOCK,
        protocol.into(),
    )
}

/// A netlink socket to netfilter in the thread's namespace.
///
/// # Errors
/// When the kernel has no nfnetlink.
pub(crate) fn netfilter_socket() -> io::Result<File> {
    socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_NETFILTER)
}

fn socket(family: libc::c_int, kind: libc::c_int, protocol: libc::c_int) -> io::Result<File> {
    // SAFETY: socket has no memory arguments.
    let descriptor = checked(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) })?;
    // SAFETY: the descriptor was just opened and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }.into())
}
