//! The sorts of personal data.

/// A sort of personal data. Named as Presidio names its entities, and what Presidio has no name for in the same manner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Entity {
    /// An address for e-mail.
    EmailAddress,
    /// A telephone number.
    PhoneNumber,
    /// The name of somebody.
    Person,
    /// A postal address, or the street of one.
    Location,
    /// When somebody was born.
    DateOfBirth,
    /// A public address of the internet.
    IpAddress,
    /// The address of a network card.
    MacAddress,
    /// The number of a payment card.
    CreditCard,
    /// An international bank account number (ISO 13616).
    Iban,
    /// An address of Bitcoin or Ethereum.
    Crypto,
    /// Social security number, United States.
    UsSsn,
    /// Taxpayer number, United States.
    UsItin,
    /// Passport, United States.
    UsPassport,
    /// Driving licence, United States.
    UsDriverLicense,
    /// Routing or account number of a bank, United States.
    UsBankNumber,
    /// Registration of the Drug Enforcement Administration, United States.
    MedicalLicense,
    /// Social insurance number, Canada.
    CaSin,
    /// Number of the National Health Service, United Kingdom.
    UkNhs,
    /// National insurance number, United Kingdom.
    UkNino,
    /// Personal public service number, Ireland.
    IePps,
    /// Tax identification number, Germany.
    DeTaxId,
    /// Pension insurance number, Germany.
    DeSocialSecurity,
    /// Identity card or passport, Germany.
    DeIdCard,
    /// Social insurance number, Austria.
    AtSvnr,
    /// Social insurance number, Switzerland.
    ChAhv,
    /// Social security number (INSEE), France.
    FrNir,
    /// National register number, Belgium.
    BeNrn,
    /// Citizen service number, Netherlands.
    NlBsn,
    /// Tax number of a citizen, Spain.
    EsNif,
    /// Tax number of a foreigner, Spain.
    EsNie,
    /// Tax number, Portugal.
    PtNif,
    /// Fiscal code, Italy.
    ItFiscalCode,
    /// Number of the population register, Poland.
    PlPesel,
    /// Birth number, Czechia and Slovakia.
    CzBirthNumber,
    /// Personal identification number, Croatia.
    HrOib,
    /// Personal numerical code, Romania.
    RoCnp,
    /// Personal identity code, Finland.
    FiPersonalIdentityCode,
    /// Personal identity number, Sweden.
    SePersonnummer,
    /// Number of the civil registration, Denmark.
    DkCpr,
    /// Birth number, Norway.
    NoFnr,
    /// Identity number, Turkey.
    TrId,
    /// Identity number, South Africa.
    ZaId,
    /// Identity number, Israel.
    IlId,
    /// Aadhaar, India.
    InAadhaar,
    /// Permanent account number, India.
    InPan,
    /// Resident identity number, China.
    CnResidentId,
    /// Individual number, Japan.
    JpMyNumber,
    /// Resident registration number, Korea.
    KrRrn,
    /// Identity card, Singapore.
    SgNricFin,
    /// National identification number, Thailand.
    ThTnin,
    /// Identity number, Taiwan.
    TwId,
    /// Tax file number, Australia.
    AuTfn,
    /// Business number, Australia.
    AuAbn,
    /// Medicare card, Australia.
    AuMedicare,
    /// Taxpayer number of a person, Brazil.
    BrCpf,
    /// Taxpayer number of a company, Brazil.
    BrCnpj,
    /// Population register code, Mexico.
    MxCurp,
}

impl Entity {
    /// Every sort.
    pub const ALL: [Self; 57] = [
        Self::EmailAddress,
        Self::PhoneNumber,
        Self::Person,
        Self::Location,
        Self::DateOfBirth,
        Self::IpAddress,
        Self::MacAddress,
        Self::CreditCard,
        Self::Iban,
        Self::Crypto,
        Self::UsSsn,
        Self::UsItin,
        Self::UsPassport,
        Self::UsDriverLicense,
        Self::UsBankNumber,
        Self::MedicalLicense,
        Self::CaSin,
        Self::UkNhs,
        Self::UkNino,
        Self::IePps,
        Self::DeTaxId,
        Self::DeSocialSecurity,
        Self::DeIdCard,
        Self::AtSvnr,
        Self::ChAhv,
        Self::FrNir,
        Self::BeNrn,
        Self::NlBsn,
        Self::EsNif,
        Self::EsNie,
        Self::PtNif,
        Self::ItFiscalCode,
        Self::PlPesel,
        Self::CzBirthNumber,
        Self::HrOib,
        Self::RoCnp,
        Self::FiPersonalIdentityCode,
        Self::SePersonnummer,
        Self::DkCpr,
        Self::NoFnr,
        Self::TrId,
        Self::ZaId,
        Self::IlId,
        Self::InAadhaar,
        Self::InPan,
        Self::CnResidentId,
        Self::JpMyNumber,
        Self::KrRrn,
        Self::SgNricFin,
        Self::ThTnin,
        Self::TwId,
        Self::AuTfn,
        Self::AuAbn,
        Self::AuMedicare,
        Self::BrCpf,
        Self::BrCnpj,
        Self::MxCurp,
    ];

    /// Its name, as `EMAIL_ADDRESS`.
    pub fn word(self) -> &'static str {
        match self {
            Self::EmailAddress => "EMAIL_ADDRESS",
            Self::PhoneNumber => "PHONE_NUMBER",
            Self::Person => "PERSON",
            Self::Location => "LOCATION",
            Self::DateOfBirth => "DATE_OF_BIRTH",
            Self::IpAddress => "IP_ADDRESS",
            Self::MacAddress => "MAC_ADDRESS",
            Self::CreditCard => "CREDIT_CARD",
            Self::Iban => "IBAN_CODE",
            Self::Crypto => "CRYPTO",
            Self::UsSsn => "US_SSN",
            Self::UsItin => "US_ITIN",
            Self::UsPassport => "US_PASSPORT",
            Self::UsDriverLicense => "US_DRIVER_LICENSE",
            Self::UsBankNumber => "US_BANK_NUMBER",
            Self::MedicalLicense => "MEDICAL_LICENSE",
            Self::CaSin => "CA_SIN",
            Self::UkNhs => "UK_NHS",
            Self::UkNino => "UK_NINO",
            Self::IePps => "IE_PPS",
            Self::DeTaxId => "DE_TAX_ID",
            Self::DeSocialSecurity => "DE_SOCIAL_SECURITY",
            Self::DeIdCard => "DE_ID_CARD",
            Self::AtSvnr => "AT_SVNR",
            Self::ChAhv => "CH_AHV",
            Self::FrNir => "FR_NIR",
            Self::BeNrn => "BE_NRN",
            Self::NlBsn => "NL_BSN",
            Self::EsNif => "ES_NIF",
            Self::EsNie => "ES_NIE",
            Self::PtNif => "PT_NIF",
            Self::ItFiscalCode => "IT_FISCAL_CODE",
            Self::PlPesel => "PL_PESEL",
            Self::CzBirthNumber => "CZ_BIRTH_NUMBER",
            Self::HrOib => "HR_OIB",
            Self::RoCnp => "RO_CNP",
            Self::FiPersonalIdentityCode => "FI_PERSONAL_IDENTITY_CODE",
            Self::SePersonnummer => "SE_PERSONNUMMER",
            Self::DkCpr => "DK_CPR",
            Self::NoFnr => "NO_FNR",
            Self::TrId => "TR_ID",
            Self::ZaId => "ZA_ID",
            Self::IlId => "IL_ID",
            Self::InAadhaar => "IN_AADHAAR",
            Self::InPan => "IN_PAN",
            Self::CnResidentId => "CN_RESIDENT_ID",
            Self::JpMyNumber => "JP_MY_NUMBER",
            Self::KrRrn => "KR_RRN",
            Self::SgNricFin => "SG_NRIC_FIN",
            Self::ThTnin => "TH_TNIN",
            Self::TwId => "TW_ID",
            Self::AuTfn => "AU_TFN",
            Self::AuAbn => "AU_ABN",
            Self::AuMedicare => "AU_MEDICARE",
            Self::BrCpf => "BR_CPF",
            Self::BrCnpj => "BR_CNPJ",
            Self::MxCurp => "MX_CURP",
        }
    }

    /// What stands in place of such a datum that was taken out. No finder of this crate finds anything in it.
    pub fn mark(self) -> String {
        format!("[{}]", self.word())
    }

    /// The one of that name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entity| entity.word() == word)
    }
}

/// Several sorts, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entities(u64);

impl Entities {
    pub(super) fn with(self, entity: Entity) -> Self {
        Self(self.0 | 1 << entity as u32)
    }

    pub(super) fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub(super) fn has(self, entity: Entity) -> bool {
        self.0 & 1 << entity as u32 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_and_a_bit() {
        for (at, entity) in Entity::ALL.into_iter().enumerate() {
            assert_eq!(entity as usize, at);
            assert_eq!(Entity::named(entity.word()), Some(entity));
        }
        assert!(Entity::ALL.len() <= 64);
    }
}
