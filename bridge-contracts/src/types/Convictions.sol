// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobOpening} from "../executor/Openings.sol";

/// @notice What is said of somebody. The numbers are part of the protocol.
enum Predicate {
    None,
    /// A page does not lead to its claimed root.
    Page,
    /// A header says something else than the root of its last page.
    Header,
    /// Two receipts for one place.
    Equivocation,
    /// A receipt says something else than the page at its place.
    Contradiction,
    /// What a receipt promised is not posted in time.
    Late,
    /// What a receipt promised was not posted when its epoch ended.
    LeftBehind,
    /// The clock of a receipt lies in the future.
    Future
}

/// @notice An accusation that held.
struct Conviction {
    /// Who was convicted.
    address account;
    /// When, seconds; 0 if the accusation was never made good.
    uint48 time;
    /// In which block: a commitment counts if it is older.
    uint40 blockNumber;
    /// Made without a commitment: the reward waits for an older one, then it is the challenger's.
    bool isHeld;
    /// Who convicted.
    address challenger;
    /// What it is worth, wei.
    uint96 reward;
}

/// @notice The root that a page claims, opened from its batch. What the batch's mode does not need is left empty,
/// and is not looked at.
struct ClaimedRoot {
    /// Calldata: the page as it was posted, masked or not, 992 bytes.
    bytes page;
    /// Calldata: its path, docs/spec.md §8.3.
    bytes inclusion;
    /// Blobs: its first two elements.
    BlobOpening blob;
}
