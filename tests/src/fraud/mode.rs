//! The ways to cheat, by name, and how each is answered.

use chartroll_l1::Predicate;

/// One way to cheat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs)] // `MODES` tells what each does.
pub enum Mode {
    HeaderMode,
    HeaderNumber,
    HeaderEpoch,
    HeaderSlot,
    HeaderParent,
    HeaderPages,
    HeaderDataReference,
    PagesBeyondBlob,
    FutureClock,
    WrongRow,
    WithholdingArchive,
    HighBytes,
    LeftItem,
    WrongRootFirst,
    WrongRootMiddle,
    WrongRootLast,
    DroppedEvent,
    AlteredVerdict,
    RefusableEnvelope,
    RepeatedEnvelope,
    ReorderedEnvelopes,
    BackdatedClock,
    ClockRunsBack,
    BadPadding,
    PagesInVoid,
    SkippedItem,
    AlteredItem,
    HeaderPostRoot,
    HeaderClock,
    HeaderNextSequence,
    HeaderCursor,
    Equivocation,
    Contradiction,
    FutureReceipt,
    LateReceipt,
    LeftBehind,
}

/// How a way to cheat is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// The contract does not take the batch, and says this error.
    Refused(&'static str),
    /// It harms nobody, and nobody is convicted.
    Harmless,
    /// A verifier convicts whoever did it.
    Convicted(Predicate),
}

use Answer::{Convicted, Harmless, Refused};
use Predicate::{Contradiction, Equivocation, Future, Header, Late, LeftBehind, Page};

/// Every mode: its name on the command line, how it is answered, what is done. Those that leave the sequencer in office
/// come first: many of them can be played on one chain.
pub const MODES: &[(Mode, &str, Answer, &str)] = &[
    (
        Mode::HeaderMode,
        "header-mode",
        Refused("WrongMode"),
        "the header says masked where it is not, or not where it is",
    ),
    (Mode::HeaderNumber, "header-number", Refused("NotNext"), "the header skips a number"),
    (Mode::HeaderEpoch, "header-epoch", Refused("NotNext"), "the header names another epoch"),
    (Mode::HeaderSlot, "header-slot", Refused("NotNext"), "the header skips a slot"),
    (Mode::HeaderParent, "header-parent", Refused("NotNext"), "the header names another parent"),
    (Mode::HeaderPages, "header-pages", Refused("WrongPages"), "the header says that there are no pages"),
    (Mode::HeaderDataReference, "header-data-reference", Refused("WrongReference"), "the header is of other pages"),
    (Mode::PagesBeyondBlob, "pages-beyond-blob", Refused("WrongBlobs"), "129 pages are claimed in one blob"),
    (Mode::FutureClock, "future-clock", Refused("WrongClock"), "page and header are dated ahead of L1"),
    (Mode::WrongRow, "wrong-row", Harmless, "a node answers the row of another patient"),
    (Mode::WithholdingArchive, "withholding-archive", Harmless, "a blob archive answers that it has nothing"),
    (Mode::HighBytes, "high-bytes", Harmless, "the high byte of every element of a blob is not zero"),
    (Mode::LeftItem, "left-item", Refused("ItemLeft"), "a batch leaves an item of the queue that is overdue"),
    (Mode::WrongRootFirst, "wrong-root-first", Convicted(Page), "the first page of a batch claims a made-up root"),
    (Mode::WrongRootMiddle, "wrong-root-middle", Convicted(Page), "a page in the middle claims a made-up root"),
    (Mode::WrongRootLast, "wrong-root-last", Convicted(Page), "page 130, the last, and the header claim one"),
    (Mode::DroppedEvent, "dropped-event", Convicted(Page), "an envelope is left out, the signer's next stands there"),
    (Mode::AlteredVerdict, "altered-verdict", Convicted(Page), "the roots are of a state with another verdict"),
    (Mode::RefusableEnvelope, "refusable-envelope", Convicted(Page), "an envelope whose signature does not hold"),
    (Mode::RepeatedEnvelope, "repeated-envelope", Convicted(Page), "an envelope whose nonce is used"),
    (Mode::ReorderedEnvelopes, "reordered-envelopes", Convicted(Page), "a signer's envelopes in another order"),
    (Mode::BackdatedClock, "backdated-clock", Convicted(Page), "the first page is dated before its parent"),
    (Mode::ClockRunsBack, "clock-runs-back", Convicted(Page), "a page is dated before the one before it"),
    (Mode::BadPadding, "bad-padding", Convicted(Page), "a byte after the last envelope is not zero"),
    (Mode::PagesInVoid, "pages-in-void", Convicted(Page), "a page is claimed where the blob holds none"),
    (Mode::SkippedItem, "skipped-item", Convicted(Page), "a page takes the item after the next"),
    (Mode::AlteredItem, "altered-item", Convicted(Page), "a page takes the next item with a bit changed"),
    (Mode::HeaderPostRoot, "header-post-root", Convicted(Header), "the header names another root than its last page"),
    (Mode::HeaderClock, "header-clock", Convicted(Header), "the header names another clock than its last page"),
    (Mode::HeaderNextSequence, "header-next-sequence", Convicted(Header), "the header counts an event too many"),
    (Mode::HeaderCursor, "header-cursor", Convicted(Header), "the header counts an item that no page takes"),
    (Mode::Equivocation, "equivocation", Convicted(Equivocation), "one place is promised to two envelopes"),
    (Mode::Contradiction, "contradiction", Convicted(Contradiction), "a place is promised that another envelope has"),
    (Mode::FutureReceipt, "future-receipt", Convicted(Future), "a receipt is dated ahead of L1"),
    (Mode::LateReceipt, "late-receipt", Convicted(Late), "what is promised is never posted"),
    (Mode::LeftBehind, "left-behind", Convicted(LeftBehind), "office is left with a promise open"),
];

impl Mode {
    /// The mode of this name.
    pub fn named(name: &str) -> Option<Self> {
        MODES.iter().find(|(_, named, ..)| *named == name).map(|(mode, ..)| *mode)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// How it is answered.
    pub fn answer(self) -> Answer {
        self.row().2
    }

    /// What is done.
    pub fn what(self) -> &'static str {
        self.row().3
    }

    /// Whether it costs the sequencer its office.
    pub fn is_convicted(self) -> bool {
        matches!(self.answer(), Convicted(_))
    }

    /// Whether it can be done with pages in calldata.
    pub fn is_of_calldata(self) -> bool {
        let of_blobs = [Self::PagesBeyondBlob, Self::PagesInVoid, Self::HighBytes, Self::WithholdingArchive];
        !of_blobs.contains(&self)
    }

    /// How many items of the queue it needs, and whether the first is an envelope.
    pub(super) fn items(self) -> (usize, bool) {
        match self {
            Self::LeftItem | Self::HeaderCursor => (1, false),
            Self::SkippedItem => (2, true),
            Self::AlteredItem => (1, true),
            _ => (0, false),
        }
    }

    fn row(self) -> &'static (Self, &'static str, Answer, &'static str) {
        MODES.iter().find(|(mode, ..)| *mode == self).expect("every mode stands in the table")
    }
}
