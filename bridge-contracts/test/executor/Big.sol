// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Large pages over large tables
/// @dev Tables are as full as their size says, so that every sibling below is there; the siblings' own values are made
/// up, and the root is whatever they lead to.
library Big {
    uint256 internal constant ORG = 3;
    uint256 internal constant SIGNER = 7;

    /// @dev Rows in order of their index.
    struct Held {
        uint256[] indices;
        bytes[] rows;
        uint256 count;
    }

    function hold(Held memory held, uint256 table, uint256 number, bytes memory row) internal pure {
        held.indices[held.count] = table << 32 | number;
        held.rows[held.count++] = row;
    }

    function room(uint256 count) internal pure returns (Held memory held) {
        held.indices = new uint256[](count);
        held.rows = new bytes[](count);
    }

    function meta(uint64 sequence, uint256 bits) internal pure returns (bytes memory) {
        uint32 count = bits >= 32 ? type(uint32).max - 1 : uint32(1 << bits);
        return
            abi.encodePacked(
                sequence, uint48(1_000_000), uint64(5), uint32(1000), count, count, count, keccak256("log")
            );
    }

    /// @dev As many peaks as the sequence number has ones.
    function frontier(uint64 sequence) internal pure returns (bytes memory row) {
        for (uint256 left = sequence; left != 0; left &= left - 1) {
            row = abi.encodePacked(row, keccak256(abi.encode("peak", left)));
        }
    }

    function org() internal pure returns (bytes memory) {
        return org(address(0xACC0));
    }

    function org(address account) internal pure returns (bytes memory) {
        return abi.encodePacked(account, uint32(9), uint8(1), uint8(1), keccak256("name"), keccak256("key"));
    }

    /// @dev For the practitioner of a number, for all purposes.
    function consent(uint256 patient_, uint256 grantee) internal pure returns (bytes memory) {
        bytes memory front = abi.encodePacked(uint32(patient_), uint8(2), uint32(grantee), uint64(1 << 54));
        return abi.encodePacked(front, uint8(6), uint64(2), new bytes(18), keccak256(abi.encode("digest", grantee)));
    }

    function principal(uint256 number, uint8 role, bytes memory key) internal pure returns (bytes memory) {
        return principal(ORG, number, role, key);
    }

    function principal(uint256 org_, uint256 number, uint8 role, bytes memory key)
        internal
        pure
        returns (bytes memory)
    {
        bytes memory front = abi.encodePacked(
            uint32(org_), role, keccak256("sealing"), keccak256(abi.encode("tag", number)), uint8(1), uint64(11)
        );
        uint8 kind = key.length == 64 ? 2 : key.length == 20 ? 1 : 0;
        return abi.encodePacked(front, new bytes(24), kind, key);
    }

    function patient(uint256 number) internal pure returns (bytes memory) {
        return patient(ORG, number);
    }

    function patient(uint256 org_, uint256 number) internal pure returns (bytes memory) {
        bytes memory front =
            abi.encodePacked(uint32(org_), keccak256(abi.encode("patient", number)), keccak256("next"), new bytes(24));
        return abi.encodePacked(front, uint8(1), new bytes(20), uint64(12), keccak256(abi.encode("head", number)));
    }

    /// @dev `spread` rows of a table of 2^bits rows, as far apart as can be, between others.
    function spread(uint256 i, uint256 count, uint256 bits) internal pure returns (uint256) {
        uint256 step = (uint256(1) << bits) / (count + 1);
        return (i + 1) * step + uint256(keccak256(abi.encode(i))) % (step / 2 + 1);
    }

    /// @dev The multiproof with a sibling wherever a table of 2^bits rows has one.
    function witness(Held memory held, uint256 bits) internal pure returns (bytes memory) {
        bytes memory body;
        bytes memory siblings = new bytes(held.count * 35 * 32);
        uint256 used = 0;
        uint256[] memory stack = new uint256[](40);
        uint256 waiting = 0;
        for (uint256 i = 0; i < held.count; i++) {
            uint256 index = held.indices[i];
            uint256 meets = 35;
            if (i + 1 < held.count) {
                uint256 difference = index ^ held.indices[i + 1];
                for (meets = 0; difference >> (meets + 1) != 0;) {
                    meets++;
                }
            }
            uint256 flags = 0;
            for (uint256 height = 0; height < meets; height++) {
                if (waiting > 0 && stack[waiting - 1] == height) {
                    waiting--;
                    continue;
                }
                if (isThere(index, height, bits)) {
                    flags |= 1 << height;
                    used += 32;
                    assembly ("memory-safe") {
                        mstore(0, add(i, shl(16, height)))
                        mstore(add(siblings, used), keccak256(0, 32))
                    }
                }
            }
            stack[waiting++] = meets;
            body = abi.encodePacked(body, uint40(index), uint40(flags), uint16(held.rows[i].length), held.rows[i]);
        }
        assembly ("memory-safe") {
            mstore(siblings, used)
        }
        return abi.encodePacked(uint8(held.count), body, uint8(0), uint16(siblings.length / 32), siblings);
    }

    /// @dev Whether the sibling at a height is not empty: orgs are 1,000, tables 0 to 4 are there.
    function isThere(uint256 index, uint256 height, uint256 bits) private pure returns (bool) {
        if (height >= 32) return (index >> height ^ 1) << height <= 4 << 32;
        uint256 table = index >> 32;
        if (table == 0) return false;
        return height < (table == 1 ? 10 : bits);
    }
}
