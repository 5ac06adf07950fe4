// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a page leads to
/// @notice Runs one page over a witness, as every verifier does: a root, or INVALID and why.
/// @dev Stateless. Whatever is wrong with the *witness* reverts and so convicts nobody; whatever is wrong with the
/// *page* is an answer. Bytes and rules: docs/spec.md §3–§9.
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
