// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Header} from "../types/Header.sol";
import {IRollup} from "./IRollup.sol";

/// @title What other contracts may ask
/// @notice Whether an event is final, and whether a history is complete. Proofs are the bytes that the read API gives.
/// @dev Stateless: it reads the Rollup and hashes. Bytes: docs/spec.md §8.3, §8.5, §9.4.
interface IEvidence {
    /// @notice These bytes are no proof.
    error NotAProof();

    /// @notice Whether an entry stands in the log of a batch that can no longer be convicted.
    /// @param header Of any final batch that the entry does not come after.
    /// @param meta Witness of meta row 0 alone, under the header's post root.
    /// @param inclusion Of the entry in the log that meta row 0 names.
    /// @param entry As the log has it, §8.1.
    function isEventFinal(Header calldata header, bytes calldata meta, bytes calldata inclusion, bytes calldata entry)
        external
        view
        returns (bool);

    /// @notice Whether these are all events of a patient up to a batch that can no longer be convicted: nothing
    /// missing, nothing added, in order; and so for every patient that links lead to.
    /// @param header Of the final batch.
    /// @param patient Row of the patient.
    /// @param histories Its history and those that links lead to, in any order. Others are left aside.
    function isHistoryComplete(Header calldata header, uint32 patient, bytes[] calldata histories)
        external
        view
        returns (bool);

    /// @notice The Rollup that is asked.
    function rollup() external view returns (IRollup);
}
