// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobOpening} from "../executor/Openings.sol";
import {ClaimedRoot} from "../types/Convictions.sol";
import {Header} from "../types/Header.sol";
import {IRollup} from "./IRollup.sol";

/// @notice A page of a batch on L1, and what is needed to run it there. What a case does not need is left empty, and is
/// not looked at.
struct PageCase {
    /// The rollup it was posted to, which is asked and which convicts.
    IRollup rollup;
    /// Header of its batch.
    Header header;
    /// Of the first page: header of the batch before.
    Header parent;
    /// Its place in the batch, from 0.
    uint16 index;
    /// Batch in calldata: the page as posted, 992 bytes, and its path (docs/spec.md §8.3).
    bytes page;
    bytes inclusion;
    /// Batch in blobs: its 32 elements, and what opens them (docs/spec.md §12.6).
    BlobOpening blob;
    /// Of later pages: the root that the page before claims.
    ClaimedRoot before;
    /// Masked batch: the page's key, and its path under the period's root.
    bytes32 pageKey;
    bytes32[20] path;
    /// The item of the queue at the cursor that the page starts from, 960 bytes. Not needed by a normal page, nor where
    /// the queue has none.
    bytes item;
    /// Rows that the page touches, hints and multiproof: docs/spec.md §9.4.
    bytes witness;
    /// Of the commitment, or anything.
    bytes32 salt;
}

/// @title What a page leads to
/// @notice Runs one page over a witness, as every verifier does: a root, or INVALID and why; and convicts by the answer.
/// @dev Stateless. Whatever is wrong with the *witness* reverts and so convicts nobody; whatever is wrong with the
/// *page* is an answer. Bytes and rules: docs/spec.md §3–§12.
interface IPageExecutor {
    /// @notice Why a page has no root; numbered as in docs/spec.md §9.1.
    enum Invalid {
        /// It has one.
        None,
        /// No such kind of page.
        Kind,
        /// The clock runs back.
        Clock,
        /// Not the next item of the queue, or earlier than it.
        Queue,
        /// An envelope does not decode.
        Framing,
        /// A byte after the last envelope is not zero.
        Padding,
        /// More rows or events than a page may have.
        Budget,
        /// An envelope that is not admitted in its place.
        Refused
    }

    /// @notice A page's answer.
    struct Outcome {
        /// The state root it leads to; zero if it is INVALID. Honest if it is the claimed one.
        bytes32 root;
        /// Why it has none.
        Invalid invalid;
        /// Of Framing and Refused: the envelope's place in the page, from 0.
        uint8 envelope;
        /// Of Framing, Refused, and of a forced envelope that is skipped: the refusal's code, docs/spec.md §6. Of an org
        /// item that is skipped: the number of the skip, §4.3. Else 0.
        uint8 code;
        /// The event that the refusal concerns, from 1; 0 = none.
        uint16 eventNumber;
    }

    /// @notice Bytes that are no witness, or a proof that does not fit its rows.
    error MalformedWitness();
    /// @notice The page needs a row that the witness lacks; table · 2^32 + row.
    error MissingRow(uint256 index);
    /// @notice A hinted predecessor is wrong, missing or left over.
    error WrongHint();
    /// @notice The log's frontier is not of the log's size.
    error WrongFrontier();
    /// @notice The witness leads to another root than the page starts from.
    error WrongRoot(bytes32 actual);
    /// @notice Bytes that are no item of the queue.
    error NotAnItem();
    /// @notice A precompile had not the gas it needs. Never an answer.
    error Starved();
    /// @notice These are not the page's bytes, or not its page key.
    error WrongOpening();

    /// @notice The rollup has no batch with this header at or below its head.
    error WrongHeader();
    /// @notice Not the header of the batch before.
    error WrongParent();
    /// @notice Not the item of the queue at the page's cursor, or one is needed.
    error WrongItem();
    /// @notice The page leads where it says: nothing to convict.
    error PageIsHonest();
    /// @notice The page does not lead where it says: convict that.
    error PageIsNotHonest();
    /// @notice The receipt is of another epoch than the batch.
    error WrongEpoch();
    /// @notice The page has no event with the receipt's sequence number.
    error OutsideOfPage();
    /// @notice The receipt's envelope stands where the receipt says.
    error ReceiptIsKept();

    /// @notice Convict a batch by one of its pages: it does not lead from the root before it to the one it claims. Anyone
    /// may.
    /// @dev Subject of the accusation: content hash, place: the page's, right: the root it leads to, 0 = INVALID.
    function convictPage(PageCase calldata given) external;

    /// @notice Convict a sequencer by a receipt and an honest page of its batch in the chain, of the receipt's epoch: the
    /// page has the sequence number, but the receipt's envelope does not begin there, or the clock is another.
    /// @dev Subject of the accusation: the receipt's leaf. The batch stays.
    /// @param receipt docs/spec.md §10.2.
    function convictContradiction(PageCase calldata given, bytes calldata receipt) external;

    /// @notice Runs one page.
    /// @param chainId Of the chain that signatures are for.
    /// @param rollup The contract that signatures are for.
    /// @param preRoot State root before the page; the witness must lead to it.
    /// @param page Its 992 bytes, unmasked.
    /// @param item The next item of the queue, 960 bytes, or none. The caller has compared its hash with the queue's.
    /// @param witness Rows that the page touches, hints and multiproof: docs/spec.md §9.4.
    function execute(
        uint64 chainId,
        address rollup,
        bytes32 preRoot,
        bytes32[31] calldata page,
        bytes calldata item,
        bytes calldata witness
    ) external view returns (Outcome memory outcome);
}
