// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Witnesses of all rows of a small state, and of the next few rows of each table
/// @dev Where every row is held, every sibling is empty: no flag is set.
library FullWitness {
    struct Rows {
        bytes meta;
        bytes frontier;
        /// Orgs, principals, patients, consents; from row 0, absent ones empty.
        bytes[][4] tables;
    }

    uint256 private constant NEXT_ROWS = 5;

    /// @dev `hints` predecessors of the patients that `envelope` opens, a system's of nothing but opens in front.
    function encode(Rows memory rows, bytes memory envelope, uint256 hints) internal pure returns (bytes memory) {
        bytes memory body = bytes.concat(row(0, 0, rows.meta), row(0, 1, rows.frontier));
        uint256 count = 2;
        for (uint256 table = 1; table <= 4; table++) {
            bytes[] memory list = rows.tables[table - 1];
            for (uint256 i = 0; i < list.length; i++) {
                body = bytes.concat(body, row(table, i, list[i]));
                count++;
            }
            uint256 next = uint32(bytes4(slice(rows.meta, 18 + 4 * table, 4)));
            for (uint256 i = next; i < next + NEXT_ROWS && i < 1 << 32; i++) {
                body = bytes.concat(body, row(table, i, ""));
                count++;
            }
        }
        return bytes.concat(bytes1(uint8(count)), body, bytes1(uint8(hints)), hintsOf(rows, envelope, hints), bytes2(0));
    }

    function row(uint256 table, uint256 number, bytes memory bytes_) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(table), uint32(number), uint40(0), uint16(bytes_.length), bytes_);
    }

    /// @dev The rows of the greatest keys below those of the patients that are opened, earlier ones included.
    function hintsOf(Rows memory rows, bytes memory envelope, uint256 hints) private pure returns (bytes memory out) {
        if (hints == 0) return "";
        bytes[] memory patients = rows.tables[2];
        bytes32[] memory keys = new bytes32[](patients.length + hints);
        for (uint256 i = 1; i < patients.length; i++) {
            keys[i] = keyOf(slice(patients[i], 0, 36));
        }
        uint256 signer = uint32(bytes4(slice(envelope, 0, 4)));
        bytes memory org = slice(rows.tables[1][signer], 0, 4);
        // The events are opens of 37 bytes, or begin with them.
        for (uint256 n = 0; n < hints; n++) {
            bytes32 key = keyOf(bytes.concat(org, slice(envelope, 116 + 37 * n, 32)));
            uint256 best = 0;
            for (uint256 i = 1; i < patients.length + n; i++) {
                if (keys[i] < key && keys[i] > keys[best]) best = i;
            }
            out = abi.encodePacked(out, uint32(best));
            keys[patients.length + n] = key;
        }
    }

    function keyOf(bytes memory orgAndPseudonym) private pure returns (bytes32) {
        return keccak256(bytes.concat(hex"04", orgAndPseudonym));
    }

    function slice(bytes memory whole, uint256 from, uint256 length) internal pure returns (bytes memory part) {
        part = new bytes(length);
        assembly ("memory-safe") {
            mcopy(add(part, 32), add(add(whole, 32), from), length)
        }
    }
}
