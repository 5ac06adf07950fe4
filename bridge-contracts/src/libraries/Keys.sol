// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Keys of principals
/// @dev Source: docs/spec.md §2.6, §3.3.
library Keys {
    uint8 internal constant SECP256K1 = 1;
    uint8 internal constant P256 = 2;

    /// @dev Prime and constant of P-256: y² = x³ − 3x + b (mod p). SEC 2, §2.4.2.
    uint256 private constant P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff;
    uint256 private constant B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b;

    /// @dev An address that is not zero, or a point of P-256, which zero and infinity are not.
    function isValid(uint8 kind, bytes calldata key) internal pure returns (bool) {
        // forge-lint: disable-start(unsafe-typecast): the lengths were compared.
        if (kind == SECP256K1) return key.length == 20 && bytes20(key) != 0;
        if (kind == P256) return key.length == 64 && isPoint(uint256(bytes32(key)), uint256(bytes32(key[32:])));
        // forge-lint: disable-end(unsafe-typecast)
        return false;
    }

    function isPoint(uint256 x, uint256 y) internal pure returns (bool) {
        if (x >= P || y >= P) return false;
        uint256 cubed = mulmod(mulmod(x, x, P), x, P);
        uint256 right = addmod(addmod(cubed, mulmod(P - 3, x, P), P), B, P);
        return mulmod(y, y, P) == right;
    }
}
