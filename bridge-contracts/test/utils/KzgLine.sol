// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobOpening} from "../../src/executor/Openings.sol";

/// @title Blobs whose openings tests can make themselves
/// @dev A line, a + b · x, is a blob: its commitment is a·G + b·τG, and b·G proves every value of it (EIP-4844,
/// EIP-2537). So the first two elements of one page, which hold its claimed root, can be chosen; all others follow.
library KzgLine {
    uint256 private constant MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    /// @dev Generator of BLS12-381's G1, and the second point of the trusted setup, x ‖ y in 64 bytes each.
    bytes private constant G = hex"0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0f"
        hex"c3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
        hex"0000000000000000000000000000000008b3f481e3aaa0f1a09e30ed741d8ae4"
        hex"fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1";
    bytes private constant TAU_G = hex"000000000000000000000000000000000d3eb50121139aa34db1d545093ac937"
        hex"4ab7bca2c0f3bf28e27c8dcd8fc7cb42d25926fc0c97b336e9f0fb35e5a04c81"
        hex"0000000000000000000000000000000017de623f59a3043952d2f637a935fae1"
        hex"4b6dee8b255e526304963d58ab6f1a827c7de623d34d394f8a3d0f57d6e972b9";
    /// @dev Half of the base field's order: the larger of y and −y is marked in a compressed point.
    uint256 private constant HALF_HIGH = 0x0d0088f51cbff34d258dd3db21a5d66b;
    uint256 private constant HALF_LOW = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555;

    /// @notice The opening of the root that page `index` of a batch claims; the batch's other blobs are made up.
    function open(uint256 index, uint256 blobs, bytes32 root) internal view returns (BlobOpening memory opening) {
        uint256 first = uint256(root) >> 8;
        uint256 second = uint256(uint8(uint256(root))) << 240 | 7;
        // Elements 32 · page and the one after stand at x and −x.
        uint256 x = power(power(7, (MODULUS - 1) / 4096), reverse(32 * (index % 128)));
        uint256 a = mulmod(addmod(first, second, MODULUS), inverse(2), MODULUS);
        uint256 b = mulmod(addmod(first, MODULUS - second, MODULUS), inverse(mulmod(2, x, MODULUS)), MODULUS);
        opening.commitment = compress(multiply(bytes.concat(G, bytes32(a), TAU_G, bytes32(b))));
        bytes memory proof = compress(multiply(bytes.concat(G, bytes32(b))));
        opening.elements = abi.encode(first, second);
        opening.proofs = bytes.concat(proof, proof);
        opening.hashes = new bytes32[](blobs);
        for (uint256 i = 0; i < blobs; i++) {
            opening.hashes[i] = versioned(keccak256(abi.encode(i)));
        }
        opening.hashes[index / 128] = versioned(sha256(opening.commitment));
    }

    function versioned(bytes32 hash) private pure returns (bytes32) {
        return bytes32(uint256(hash) & type(uint248).max | 1 << 248);
    }

    function reverse(uint256 number) private pure returns (uint256 reversed) {
        for (uint256 bit = 0; bit < 12; bit++) {
            if (number >> bit & 1 == 1) reversed |= 1 << (11 - bit);
        }
    }

    function inverse(uint256 number) private view returns (uint256) {
        return power(number, MODULUS - 2);
    }

    function power(uint256 base, uint256 exponent) private view returns (uint256) {
        (bool isDone, bytes memory result) = address(5).staticcall(abi.encode(32, 32, 32, base, exponent, MODULUS));
        require(isDone);
        return abi.decode(result, (uint256));
    }

    /// @dev EIP-2537: points and scalars, 160 bytes a pair.
    function multiply(bytes memory pairs) private view returns (bytes memory point) {
        bool isDone;
        (isDone, point) = address(0x0c).staticcall(pairs);
        require(isDone && point.length == 128);
    }

    function compress(bytes memory point) private pure returns (bytes memory) {
        (uint256 xHigh, uint256 xLow, uint256 yHigh, uint256 yLow) =
            abi.decode(point, (uint256, uint256, uint256, uint256));
        bool isLarger = yHigh > HALF_HIGH || yHigh == HALF_HIGH && yLow > HALF_LOW;
        return abi.encodePacked(uint128(xHigh | 1 << 127 | (isLarger ? 1 << 125 : 0)), xLow);
    }
}
