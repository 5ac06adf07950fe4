// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClaimedRoot} from "../types/Convictions.sol";
import {Header} from "../types/Header.sol";
import {IRollup} from "./IRollup.sol";

/// @title Where sequencers are accused of what needs no page to be run
/// @notice Each call makes one accusation good and convicts, or reverts. The sender is the challenger.
/// @dev Stateless: serves every Rollup whose court it is. Whatever does not fit reverts and so convicts nobody;
/// openings and proofs with `IPageExecutor.WrongOpening`, `IPageExecutor.Starved` and `IEvidence.NotAProof`. Receipts
/// are encoded as in docs/spec.md §10.2.
interface ICourt {
    /// @notice The header is not that of a batch at or below the head.
    error NotItsHeader(uint64 number);
    /// @notice The witness does not hold meta row 0 under the root of the last page.
    error NotMeta();
    /// @notice The header says what its last page says: nothing to convict.
    error HeaderIsHonest();
    /// @notice Bytes that are no receipt.
    error NotAReceipt();
    /// @notice The path does not lead from the receipt's leaf to a group's root.
    error WrongPath();
    /// @notice The group was not signed by the sequencer of the receipt's epoch.
    error WrongSignature();
    /// @notice The receipt is not broken, or not in this way: nothing to convict.
    error ReceiptHolds();

    /// @notice Convict a batch whose header says something else than its last page: another root; or another clock,
    /// next sequence number or cursor than meta row 0 under that root.
    /// @param last The claimed root of the last page, opened.
    /// @param meta Witness of meta row 0 under it, docs/spec.md §9.4; not looked at if the root differs.
    /// @param salt Of the sender's commitment; anything if there is none.
    function convictHeader(
        IRollup rollup,
        Header calldata header,
        ClaimedRoot calldata last,
        bytes calldata meta,
        bytes32 salt
    ) external;

    /// @notice Convict of two receipts of one epoch that say different things of one sequence number.
    function convictEquivocation(IRollup rollup, bytes calldata receipt, bytes calldata other, bytes32 salt) external;

    /// @notice Convict of a receipt of this epoch that no batch has reached `clockPast` after its clock.
    function convictLate(IRollup rollup, bytes calldata receipt, bytes32 salt) external;

    /// @notice Convict of a receipt that its epoch ended without.
    function convictLeftBehind(IRollup rollup, bytes calldata receipt, bytes32 salt) external;

    /// @notice Convict of a receipt whose clock lies over `clockFuture` past this block.
    function convictFuture(IRollup rollup, bytes calldata receipt, bytes32 salt) external;
}
