//! What may be suspicious, by name.

/// How much one finding says alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Worth telling a person, nothing more.
    Note,
    /// Innocent alone; two different ones in one definition are not.
    Sign,
    /// Grave where the other server is trusted more, else a note.
    Rank,
    /// Grave.
    Certain,
}

impl Weight {
    /// Every weight, least first.
    pub const ALL: [Self; 4] = [Self::Note, Self::Sign, Self::Rank, Self::Certain];

    /// The word used in `docs/poisoning.md`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Sign => "sign",
            Self::Rank => "rank",
            Self::Certain => "certain",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $word:literal $weight:ident,)*) => {
        /// What is suspicious about a definition. `docs/poisoning.md` says of each what to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $code,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$code,)*];

            /// The word used in records and in reports. Stable.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$code => $word,)*
                }
            }

            /// How much it says alone.
            pub fn weight(self) -> Weight {
                match self {
                    $(Self::$code => Weight::$weight,)*
                }
            }
        }
    };
}

codes! {
    /// The name reads like that of another tool and is spelled with other characters.
    LookalikeName = "lookalike_name" Certain,
    /// The name has letters of another script among its own, or characters that nobody sees.
    DisguisedName = "disguised_name" Certain,
    /// Another server has a tool of that name.
    SameName = "same_name" Rank,
    /// Another server has a tool whose name is the same words in another order.
    SwappedName = "swapped_name" Rank,
    /// Another server has a tool whose name differs by one slip of a finger.
    NearName = "near_name" Rank,
    /// The text says how to use a tool of another server.
    CommandsOtherTool = "commands_other_tool" Certain,
    /// The text names a tool of another server.
    MentionsOtherTool = "mentions_other_tool" Note,
    /// The text says what to do when another server is used.
    CommandsOtherServer = "commands_other_server" Certain,
    /// The server calls itself what another configured server is called or calls itself.
    ClaimsOtherServer = "claims_other_server" Rank,
    /// The server calls itself what another configured server is called, in letters that only look like it.
    LookalikeServer = "lookalike_server" Certain,
    /// The server bears the name of a well-known maker and comes from somewhere else.
    ClaimsMaker = "claims_maker" Note,
    /// The text asks that something be kept from the user.
    ConcealsFromUser = "conceals_from_user" Certain,
    /// The text sets itself over earlier instructions.
    OverridesInstructions = "overrides_instructions" Certain,
    /// The text wants something handed on without the user's consent.
    SkipsConsent = "skips_consent" Certain,
    /// The text wants a secret of the machine read and handed over.
    AsksForSecrets = "asks_for_secrets" Certain,
    /// The name of a parameter asks for a secret of the machine.
    SecretParameter = "secret_parameter" Certain,
    /// The text carries characters that hide something in it.
    HiddenText = "hidden_text" Certain,
    /// A comment, which is not shown where text is rendered, gives instructions.
    HiddenComment = "hidden_comment" Certain,
    /// A part is marked as hidden, or as said by the system.
    HiddenMarker = "hidden_marker" Certain,
    /// The text wants a conversation sent along as a measurement.
    TapsConversation = "taps_conversation" Certain,
    /// A part is marked as important, or as meant for the model.
    Marker = "marker" Sign,
    /// The text names a file with secrets as one to read or hand over.
    WantsSecretFile = "wants_secret_file" Sign,
    /// The text wants the content of something else passed along.
    PassesContents = "passes_contents" Sign,
    /// The text wants something read before the tool is used.
    Detour = "detour" Sign,
    /// The text wants what was said so far.
    WantsConversation = "wants_conversation" Sign,
    /// The text gives an address that something must be sent to.
    Redirects = "redirects" Sign,
    /// The text says what to do with whatever other tools there are.
    SteersOtherTools = "steers_other_tools" Sign,
    /// The text speaks to the model and not of the tool.
    AddressesModel = "addresses_model" Sign,
    /// The text wants what the tool returns obeyed.
    TakesCommand = "takes_command" Sign,
    /// The tool is said to send or keep something in secret.
    ActsInSecret = "acts_in_secret" Sign,
    /// Something is said to happen without consent.
    WithoutConsent = "without_consent" Sign,
    /// Safety is said to be switched off.
    DisablesSafety = "disables_safety" Sign,
    /// A word has letters of another script among its own.
    DisguisedWord = "disguised_word" Sign,
    /// The text has characters that nobody sees, where its language needs none.
    OddCharacters = "odd_characters" Sign,
    /// The text goes on behind a long empty stretch.
    PushedOutOfSight = "pushed_out_of_sight" Sign,
    /// The name of a parameter asks for what was said so far, or for what the model was told.
    ContextParameter = "context_parameter" Sign,
    /// The definition gives orders to a model, says a rule, and it reads as a whole like those that do.
    GivesOrders = "gives_orders" Certain,
    /// The definition reads like one that gives orders to a model.
    ReadsLikeOrders = "reads_like_orders" Note,
    /// The tool says that it only reads and is called like one that destroys.
    ClaimsReadOnly = "claims_read_only" Note,
    /// The name says reading or helping, and a parameter takes a command.
    QuietShell = "quiet_shell" Note,
    /// The name says reading or helping, and the parameters are those of a shell that another tool is.
    ShellUnderOtherName = "shell_under_other_name" Certain,
}
