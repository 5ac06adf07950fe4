// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Predicate} from "../types/Convictions.sol";

/// @title What is said of whom, in one word
/// @dev A commitment hides the accusation and names who will make it: whoever copies it from the pool commits to
/// nothing of its own.
library Accusations {
    /// @notice The accusation of a page, a header or a receipt; it convicts once.
    /// @param subject Page, Header: content hash of the batch. Receipts: leaf of the receipt; Equivocation: the lesser
    /// of the two.
    /// @param place Page: the page's place in the batch. Header: that of the last page. Receipts: 0.
    /// @param right Page: the root that it leads to, 0 if it is INVALID. Header: the claimed root of the last page.
    /// Equivocation: the greater leaf. Other receipts: 0.
    function hash(Predicate predicate, bytes32 subject, uint256 place, bytes32 right) internal pure returns (bytes32) {
        return keccak256(abi.encode(uint8(predicate), subject, place, right));
    }

    /// @notice What a challenger commits to, a block or more before it accuses.
    function commitment(address challenger, bytes32 accusation, bytes32 salt) internal pure returns (bytes32) {
        return keccak256(abi.encode(challenger, accusation, salt));
    }
}
