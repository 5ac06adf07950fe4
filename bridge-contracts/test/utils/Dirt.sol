// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Free memory that is not zero
/// @dev The compiler promises nothing about it, and in a small test it is always zero: whoever counts on that is right
/// by chance.
library Dirt {
    function spread() internal pure {
        spread(0x4000);
    }

    function spread(uint256 length) internal pure {
        assembly ("memory-safe") {
            let ptr := mload(0x40)
            for { let end := add(ptr, length) } lt(ptr, end) { ptr := add(ptr, 32) } { mstore(ptr, not(0)) }
        }
    }
}
