// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvidence} from "./interfaces/IEvidence.sol";
import {IRollup} from "./interfaces/IRollup.sol";
import {Headers} from "./libraries/Headers.sol";
import {Histories} from "./libraries/Histories.sol";
import {LogProof} from "./libraries/LogProof.sol";
import {RowProof} from "./libraries/RowProof.sol";
import {Header} from "./types/Header.sol";

/// @title What other contracts may ask about events and histories
/// @dev Apart from the Rollup, whose code has no room to spare. Holds no state and no money.
contract Evidence is IEvidence {
    using Headers for Header;

    /// @dev Meta row 0: next sequence number at 0, log root at 38. docs/spec.md §5.2.
    uint256 private constant META_BYTES = 70;
    uint256 private constant META_LOG_AT = 38;

    /// @inheritdoc IEvidence
    IRollup public immutable rollup;

    constructor(IRollup given) {
        rollup = given;
    }

    /// @inheritdoc IEvidence
    function isEventFinal(Header calldata header, bytes calldata meta, bytes calldata inclusion, bytes calldata entry)
        external
        view
        returns (bool)
    {
        if (!_isFinal(header)) return false;
        (uint256 index, bytes calldata row, bytes32 root) = RowProof.open(meta);
        if (index != 0 || row.length != META_BYTES || root != header.postRoot) return false;
        (uint64 sequence, uint64 size) = LogProof.place(inclusion);
        if (size != uint64(bytes8(row[0:8])) || entry.length < 8) return false;
        if (sequence != uint64(bytes8(entry[0:8]))) return false;
        bytes32 leaf = keccak256(abi.encodePacked(uint8(0), entry));
        return LogProof.holds(inclusion, leaf, bytes32(row[META_LOG_AT:]));
    }

    /// @inheritdoc IEvidence
    function isHistoryComplete(Header calldata header, uint32 patient, bytes[] calldata histories)
        external
        view
        returns (bool)
    {
        return _isFinal(header) && isComplete(header.postRoot, patient, histories);
    }

    /// @notice The same under a root that the caller trusts for reasons of its own.
    function isComplete(bytes32 root, uint32 patient, bytes[] calldata histories) public pure returns (bool) {
        uint256[] memory wanted = new uint256[](histories.length);
        bool[] memory isReached = new bool[](histories.length);
        uint256 first = _find(histories, patient);
        if (first == histories.length) return false;
        (wanted[0], isReached[first]) = (first, true);
        uint256 reached = 1;
        for (uint256 i = 0; i < reached; i++) {
            (bool isWhole, uint32[] memory links) = Histories.check(histories[wanted[i]], root);
            if (!isWhole) return false;
            for (uint256 j = 0; j < links.length; j++) {
                uint256 next = _find(histories, links[j]);
                if (next == histories.length) return false;
                if (isReached[next]) continue;
                isReached[next] = true;
                wanted[reached++] = next;
            }
        }
        return true;
    }

    function _isFinal(Header calldata header) private view returns (bool) {
        (bytes32 contentHash,,) = rollup.batches(header.number);
        return contentHash == header.contentHash() && rollup.isFinal(header.number);
    }

    /// @dev The first history of a patient; as many as there are if there is none.
    function _find(bytes[] calldata histories, uint32 patient) private pure returns (uint256 index) {
        while (index < histories.length && Histories.patientOf(histories[index]) != patient) index++;
    }
}
