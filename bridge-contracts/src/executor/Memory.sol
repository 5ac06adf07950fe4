// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Big-endian numbers at any byte of memory
/// @dev Pages and rows are worked on as the bytes they are: nothing is decoded that is not needed, and a row is hashed
/// where it lies. Pointers are absolute. Reading may touch up to 31 bytes past a field; whoever allocates leaves room.
library Memory {
    /// @dev Takes memory that may be dirty.
    function allocate(uint256 length) internal pure returns (uint256 ptr) {
        assembly ("memory-safe") {
            ptr := mload(0x40)
            mstore(0x40, and(add(add(ptr, length), 31), not(31)))
        }
    }

    function u8(uint256 ptr) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := byte(0, mload(ptr))
        }
    }

    function u32(uint256 ptr) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(224, mload(ptr))
        }
    }

    function u48(uint256 ptr) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(208, mload(ptr))
        }
    }

    function u64(uint256 ptr) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(192, mload(ptr))
        }
    }

    function word(uint256 ptr) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(ptr)
        }
    }

    function put8(uint256 ptr, uint256 value) internal pure {
        assembly ("memory-safe") {
            mstore8(ptr, value)
        }
    }

    function put32(uint256 ptr, uint256 value) internal pure {
        put(ptr, 32, value);
    }

    function put48(uint256 ptr, uint256 value) internal pure {
        put(ptr, 48, value);
    }

    function put64(uint256 ptr, uint256 value) internal pure {
        put(ptr, 64, value);
    }

    /// @dev Writes the low `bits` of `value`, leaving what follows as it was.
    function put(uint256 ptr, uint256 bits, uint256 value) internal pure {
        assembly ("memory-safe") {
            mstore(ptr, or(shl(sub(256, bits), value), shr(bits, shl(bits, mload(ptr)))))
        }
    }

    function putWord(uint256 ptr, uint256 value) internal pure {
        assembly ("memory-safe") {
            mstore(ptr, value)
        }
    }

    function copy(uint256 to, uint256 from, uint256 length) internal pure {
        assembly ("memory-safe") {
            mcopy(to, from, length)
        }
    }

    function hash(uint256 ptr, uint256 length) internal pure returns (uint256 digest) {
        assembly ("memory-safe") {
            digest := keccak256(ptr, length)
        }
    }

    /// @dev Whether all bytes from `ptr` up to `end` are zero.
    function isZero(uint256 ptr, uint256 end) internal pure returns (bool) {
        unchecked {
            for (; ptr + 32 <= end; ptr += 32) {
                if (word(ptr) != 0) return false;
            }
            return ptr == end || word(ptr) >> (8 * (ptr + 32 - end)) == 0;
        }
    }
}
