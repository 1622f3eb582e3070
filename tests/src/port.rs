//! Ports that nobody else takes while a test has them.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    process,
    sync::atomic::{AtomicU16, Ordering},
};

/// Below what systems give to outgoing connections, so that none of those can take a port between two servers.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// A port of the loopback address that belongs to this test until it is dropped, also while nothing listens on it.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _reserved: File,
}

impl Port {
    /// Reserves a port, against other tests and other processes of tests.
    ///
    /// # Panics
    /// If there is none.
    pub fn reserve() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let start = u16::try_from(process::id() % 311).unwrap() * 32;
        let dir = std::env::temp_dir().join("sluicegate-test-ports");
        fs::create_dir_all(&dir).expect("the directory for temporary files can be written");
        for _ in 0..COUNT {
            let step = NEXT.fetch_add(1, Ordering::Relaxed);
            let number = FIRST + start.wrapping_add(step) % COUNT;
            let reserved = File::create(dir.join(number.to_string())).expect("a port's lock file");
            if reserved.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Self { number, _reserved: reserved };
            }
        }
        panic!("no port is free");
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }
}
