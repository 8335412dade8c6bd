//! A file of the state folder that is opened when it is first needed, so that who needs none has none.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use lockgate_store::StateError;

use super::complain;
use super::session::lock;

/// One file, and how it is opened.
pub(super) struct Shelf<T> {
    folder: PathBuf,
    name: &'static str,
    make: fn(&Path) -> Result<T, StateError>,
    open: Mutex<Option<Arc<T>>>,
    /// Was it said that it cannot be used?
    told: AtomicBool,
}

impl<T> Shelf<T> {
    /// The file of that name in a folder, which `make` opens, and makes where there is none.
    pub(super) fn new(folder: &Path, name: &'static str, make: fn(&Path) -> Result<T, StateError>) -> Self {
        Self { folder: folder.to_owned(), name, make, open: Mutex::default(), told: AtomicBool::new(false) }
    }

    /// The file, made at the first need.
    pub(super) fn open(&self) -> Result<Arc<T>, StateError> {
        let mut open = lock(&self.open);
        if let Some(file) = &*open {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new((self.make)(&self.folder)?);
        Ok(Arc::clone(open.insert(file)))
    }

    /// The file, where there is one. Makes nothing.
    pub(super) fn found(&self) -> Result<Option<Arc<T>>, StateError> {
        self.path().exists().then(|| self.open()).transpose()
    }

    /// Where the file is.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(self.name)
    }

    /// Tells the operator, once, what cannot be done for want of the file.
    pub(super) fn cannot(&self, what: &str, error: &StateError) {
        if !self.told.swap(true, Ordering::Relaxed) {
            complain(&format!("{what}: {error} ({})", self.path().display()));
        }
    }
}
