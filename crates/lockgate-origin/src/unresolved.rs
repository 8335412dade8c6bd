use lockgate_model::Reason;

/// Why it cannot be told what a command would start. Says nothing of what stands in a file or an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// The command is empty, or its program is not on the disk or not in `PATH`.
    #[error("the program is not found")]
    NoProgram,
    /// A launcher would first fetch the package, or fetch it anew.
    #[error("the package is not installed, so that it would be fetched when it starts; install it first")]
    NotInstalled,
    /// Several installed environments hold such a program, in different versions.
    #[error("it is installed in several versions, and the command does not say which")]
    Ambiguous,
    /// A launcher that brings its environment up to date whenever it starts, or keeps it where nobody can tell.
    #[error("what this launcher would start is only known once it has; name the installed program instead")]
    Launcher,
    /// A shell would find out.
    #[error("a shell decides what is started; name the program and its arguments instead")]
    Shell,
    /// An option that is not known, or that loads further code.
    #[error("an option is not known here, or loads further code")]
    Option,
    /// A module of that name stands in the folder the server starts in, and would go before the installed one.
    #[error("a module in the folder it starts in goes before the installed one")]
    Shadowed,
    /// The package is used from the folder where it is written.
    #[error("the package is installed from a folder that may change; install a built one")]
    Editable,
    /// No installed package says that this program is its.
    #[error("the package's own description of itself is missing or cannot be read")]
    BadPackage,
    /// A file differs from what the package's own list says of it.
    #[error("a file of the package is not what the package's own list says")]
    Tampered,
    /// A folder among the files is a link to somewhere else.
    #[error("a link among its files leads to a folder elsewhere")]
    LeadsOutside,
    /// It has more than 200,000 files, 4 GiB, or folders nested deeper than 64.
    #[error("it has too many files, or too large ones")]
    TooLarge,
    /// A file or folder cannot be read, or changed while it was.
    #[error("a file of it cannot be read")]
    Unreadable,
}

impl Unresolved {
    /// The reason for which a server is not started that is pinned and cannot be resolved.
    pub fn reason(self) -> Reason {
        match self {
            Self::Tampered => Reason::ArtefactChanged,
            Self::NoProgram
            | Self::NotInstalled
            | Self::Ambiguous
            | Self::Launcher
            | Self::Shell
            | Self::Option
            | Self::Shadowed
            | Self::Editable
            | Self::BadPackage
            | Self::LeadsOutside
            | Self::TooLarge
            | Self::Unreadable => Reason::VersionNotPinned,
        }
    }
}
