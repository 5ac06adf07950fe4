"""The code tables (spec §2), the limits (§1.7) and the names of the refusals (§6).

A coded table is {number: (system, code)}; one that Chartroll made up itself is {number: name}.
"""

PAGE_BYTES, PAGE_HEAD_BYTES, PAGE_BODY_BYTES = 992, 39, 953
ENVELOPE_HEAD_BYTES, ENVELOPE_BYTES_MAX, EVENTS_PER_ENVELOPE_MAX = 115, 953, 127
ROWS_PER_PAGE_MAX, PAGES_PER_BLOB, PAGES_PER_BATCH_MAX = 96, 128, 768
FUTURE_MS_MAX, LATE_MS, JUDGED_AT_EVENT_MS_MAX = 600_000, 600_000, 2_592_000_000
PROPOSAL_MS, BAR_MS = 1_209_600_000, 7_776_000_000

FHIR = "http://hl7.org/fhir/"
HL7 = "http://terminology.hl7.org/CodeSystem/"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"


def _numbered(system, codes, first=1):
    return {first + i: (system, code) for i, code in enumerate(codes.split())}


ACTIONS = _numbered(FHIR + "audit-event-action", "C R U D E")
OUTCOMES = _numbered(FHIR + "audit-event-outcome", "0 4 8 12")
PURPOSES = _numbered(HL7 + "v3-ActReason", """
    PurposeOfUse HMARKT HOPERAT CAREMGT DONAT FRAUD GOV HACCRED HCOMPL HDECD HDIRECT HDM HLEGAL HOUTCOMS HPRGRP
    HQUALIMP HSYSADMIN LABELING METAMGT MEMADMIN MILCDM PATADMIN PATSFTY PERFMSR RECORDMGT SYSDEV HTEST TRAIN HPAYMT
    CLMATTCH COVAUTH COVERAGE ELIGDTRM ELIGVER ENROLLM MILDCRG REMITADV HRESCH BIORCH CLINTRCH CLINTRCHNPC CLINTRCHPC
    PRECLINTRCH DSRCH POARCH TRANSRCH PATRQT FAMRQT PWATRNY SUPNWK PUBHLTH DISASTER THREAT TREAT CLINTRL COC ETREAT BTG
    ERTREAT POPHLTH""")
EMERGENCY = {57, 58, 59}
CATEGORIES = {
    **_numbered(HL7 + "v3-ActCode", """
        ACADR ACALL ACALLG ACCONS ACDEMO ACDI ACIMMUN ACLAB ACMED ACMEDC ACMEN ACOBS ACPOLPRG ACPROV ACPSERV
        ACSUBSTAB"""),
    **_numbered(DICOM, """
        110100 110101 110102 110103 110104 110105 110106 110107 110109 110110 110111 110112 110113""", 17),
}

ADMIN, SYSTEM, PRACTITIONER, PATIENT, PROXY, OFFICER = range(1, 7)
ROLES = {
    ADMIN: (HL7 + "v3-RoleClass", "AGNT"),
    SYSTEM: (DICOM, "110150"),
    PRACTITIONER: (HL7 + "v3-RoleClass", "PROV"),
    PATIENT: (HL7 + "v3-RoleClass", "PAT"),
    PROXY: (HL7 + "v3-RoleClass", "GUARD"),
    OFFICER: (HL7 + "v3-ParticipationFunction", "REVIEWER"),
}
ROLES_READ_ALSO = {
    PROXY: [(HL7 + "v3-RoleCode", code) for code in ("POWATT", "DPOWATT", "HPOWATT", "RESPRSN")],
    SYSTEM: [(DICOM, "110153"), (DICOM, "110152")],
}

KEY_BYTES = {0: 0, 1: 20, 2: 64}
KEY_KINDS = {0: "none", 1: "secp256k1", 2: "P-256"}
GRANTEE_KINDS = {1: "org", 2: "principal"}
RELATIONS = {1: "replaced by", 2: "replaces", 3: "see also", 4: "undone"}
ANNOTATIONS = {1: "payload erased", 2: "emergency justified", 3: "emergency unjustified", 4: "entered in error",
               5: "amended"}
REVOCATION_REASONS = {0: "unspecified", 1: "key compromise", 3: "affiliation changed", 4: "superseded",
                      5: "cessation", 9: "privilege withdrawn"}
POLICIES = {1: "implied", 2: "explicit consent"}
ORG_STATUS = {1: "active", 2: "suspended"}
PRINCIPAL_STATUS = {1: "active", 2: "revoked"}
IMPLIED, SUSPENDED, ACTIVE, REVOKED = 1, 2, 1, 2
ALLOWS_EMERGENCY, EXPLICIT_CONSENT = 0x01, 0x02

# Known bits (§2.7 for the flags, §2.8 for the others).
FLAG_BITS = 0x03
ACTION_BITS = (1 << 6) - 1
PURPOSE_BITS = (1 << 61) - 1
CATEGORY_BITS = (1 << 30) - 1

REFUSALS = {
    0x10: "Length", 0x11: "Truncated", 0x12: "Trailing", 0x13: "UnknownKind", 0x14: "UnknownCode",
    0x15: "UnknownBits", 0x16: "Same", 0x17: "Order", 0x18: "LeadingZero", 0x19: "Time", 0x1A: "Count", 0x1B: "Key",
    0x1C: "Interval", 0x1D: "Signer",
    0x20: "TooManyEvents", 0x21: "TooManyRows",
    0x30: "NoSigner",
    0x40: "SignerRevoked", 0x41: "SignerNotYetValid", 0x42: "SignerExpired", 0x43: "OrgSuspended", 0x44: "NoKey",
    0x50: "Nonce",
    0x60: "Reserved", 0x61: "NoRow", 0x62: "Full",
    0x70: "Form", 0x71: "Malformed", 0x72: "Wrong",
    0x80: "Role", 0x81: "Org", 0x82: "NotEntitled", 0x83: "Taken", 0x84: "WrongRole", 0x85: "Barred",
    0x86: "EmptyProposal", 0x87: "Link", 0x88: "AlreadyRevoked",
    0x90: "Future",
}
REFUSAL_CODES = {name: code for code, name in REFUSALS.items()}
SKIPS = {1: "Malformed", 2: "NoOrg", 3: "NotItsAccount", 4: "Full"}


class Refusal(Exception):
    """Why an envelope is not admitted: a code of §6 and the event's index, or None."""

    def __init__(self, name, event=None):
        super().__init__(f"{name} at event {event}")
        self.code, self.name, self.event = REFUSAL_CODES[name], name, event

    def json(self):
        return {"code": self.code, "name": self.name, "event": self.event}
