//! How much memory there is for this process: the machine's, what its group of processes (a
//! container) may have of it, and what it was given itself.
//!
//! The limits of statements are shares of these. All is asked of the system, so it stands beside
//! [`os`](super::os).
#![allow(clippy::disallowed_methods, reason = "a door to the operating system")]

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux {
    use std::fs;
    use std::path::{Path, PathBuf};

    use rustix::process::{Resource, getrlimit};

    /// Where the groups of processes are found: those of the second kind, then those of the first
    /// that count memory; each with its limit's file.
    const GROUPS: [(&str, &str); 2] =
        [("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")];

    pub(super) fn machine() -> u64 {
        let told = rustix::system::sysinfo();
        #[allow(clippy::useless_conversion, reason = "half as wide on smaller machines")]
        u64::from(told.totalram).saturating_mul(u64::from(told.mem_unit))
    }

    /// The least that the process's groups and those they are in allow.
    pub(super) fn groups() -> Option<u64> {
        let told = fs::read_to_string("/proc/self/cgroup").ok()?;
        let least = |place: usize| {
            let (root, file) = GROUPS[place];
            least_above(Path::new(root), path_in(&told, place)?, file)
        };
        [least(0), least(1)].into_iter().flatten().min()
    }

    /// The path of the process's group of that kind; lines are `0::/path` for the second kind of
    /// groups and `n:memory:/path` for the first.
    fn path_in(told: &str, place: usize) -> Option<&str> {
        told.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':');
            let (number, kinds, path) = (parts.next()?, parts.next()?, parts.next()?);
            let is_it = match place {
                0 => number == "0" && kinds.is_empty(),
                _ => kinds.split(',').any(|kind| kind == "memory"),
            };
            is_it.then_some(path)
        })
    }

    /// The least limit of the group at `path` and all above it. A container sees its own group at
    /// the root, whatever it is called outside, so a path that is not there is none.
    fn least_above(root: &Path, path: &str, file: &str) -> Option<u64> {
        let mut folder = PathBuf::from(root);
        folder.extend(Path::new(path.trim_start_matches('/')).components());
        let mut least = None;
        while folder.starts_with(root) {
            let limit = fs::read_to_string(folder.join(file)).ok();
            let limit = limit.and_then(|text| text.trim().parse::<u64>().ok());
            least = least.into_iter().chain(limit).min();
            if !folder.pop() {
                break;
            }
        }
        least
    }

    /// What `ulimit -v` and `ulimit -d` leave it.
    pub(super) fn given() -> Option<u64> {
        let given = [Resource::As, Resource::Data].map(|it| getrlimit(it).current);
        given.into_iter().flatten().min()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn groups_of_both_kinds_are_found_with_their_limits() {
            let told = "5:cpuset:/a\n4:memory,hugetlb:/a/b:c\n0::/d\n";
            assert_eq!((path_in(told, 0), path_in(told, 1)), (Some("/d"), Some("/a/b:c")));
            assert_eq!((path_in("1:cpu:/a", 0), path_in("", 1)), (None, None));

            let root = std::env::temp_dir().join(format!("pandodb-groups-{}", std::process::id()));
            fs::create_dir_all(root.join("a/b")).unwrap();
            let limit = |path: &str| least_above(&root, path, "memory.max");
            assert_eq!(limit("/a/b"), None);
            fs::write(root.join("a/memory.max"), "1000\n").unwrap();
            fs::write(root.join("a/b/memory.max"), "max\n").unwrap();
            assert_eq!(
                (limit("/a/b"), limit("/a/b/gone"), limit("/")),
                (Some(1000), Some(1000), None)
            );
            fs::write(root.join("memory.max"), "900\n").unwrap();
            assert_eq!(
                (limit("/a/b"), limit("/other"), limit("/..")),
                (Some(900), Some(900), Some(900))
            );
            fs::remove_dir_all(root).unwrap();
        }
    }
}

/// How much memory there is for this process and others: the machine's, or what the container
/// that it runs in may have of it. None where the system does not tell.
pub fn machine_memory() -> Option<u64> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return Some(linux::groups().map_or(linux::machine(), |most| most.min(linux::machine())));
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    None
}

/// How many bytes of addresses or of data the process may have (`ulimit -v`, `ulimit -d`), if that
/// is bounded and the system tells.
pub fn given_memory() -> Option<u64> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return linux::given();
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    None
}
