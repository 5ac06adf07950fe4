// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Setup} from "./Setup.sol";

/// @title Blobs whose pages are chosen, committed to and opened
/// @dev A polynomial of 64 coefficients has room for the 64 elements of two pages; the blob's other elements are what
/// they turn out to be. Commitment and proofs are sums over the trusted setup's powers, by EIP-2537.
library Kzg {
    uint256 internal constant MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    uint256 private constant HALF_HIGH = 0x0d0088f51cbff34d258dd3db21a5d66b;
    uint256 private constant HALF_LOW = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555;
    address private constant G1_MSM = address(0x0c);

    /// @notice A polynomial with these values where a page's elements stand, and those where another's do.
    /// @param pages The two pages' places in the blob.
    /// @param values Of 32 elements each.
    function interpolate(uint256[2] memory pages, uint256[32][2] memory values)
        internal
        view
        returns (uint256[] memory polynomial)
    {
        polynomial = new uint256[](64);
        (uint256 first, uint256[32] memory a) = _interpolate(pages[0], values[0]);
        (uint256 second, uint256[32] memory b) = _interpolate(pages[1], values[1]);
        // A + (x^32 − first) / (second − first) · (B − A).
        uint256 scale = _power(addmod(second, MODULUS - first, MODULUS), MODULUS - 2);
        for (uint256 i = 0; i < 32; i++) {
            uint256 part = mulmod(addmod(b[i], MODULUS - a[i], MODULUS), scale, MODULUS);
            polynomial[i + 32] = part;
            polynomial[i] = addmod(a[i], MODULUS - mulmod(first, part, MODULUS), MODULUS);
        }
    }

    function commit(uint256[] memory polynomial) internal view returns (bytes memory) {
        return _sum(polynomial, polynomial.length);
    }

    function versionedHash(bytes memory commitment) internal pure returns (bytes32) {
        return bytes32(uint256(1) << 248 | uint256(sha256(commitment)) << 8 >> 8);
    }

    /// @notice Value and proof at element `j` of a page.
    function open(uint256[] memory polynomial, uint256 page, uint256 j)
        internal
        view
        returns (uint256 value, bytes memory proof)
    {
        return openAt(polynomial, _point(page, j));
    }

    /// @notice Value and proof at any point.
    function openAt(uint256[] memory polynomial, uint256 z) internal view returns (uint256 value, bytes memory proof) {
        uint256[] memory quotient = new uint256[](polynomial.length);
        for (uint256 i = polynomial.length; i > 0; i--) {
            quotient[i - 1] = value;
            value = addmod(polynomial[i - 1], mulmod(value, z, MODULUS), MODULUS);
        }
        return (value, _sum(quotient, polynomial.length - 1));
    }

    /// @notice The 32 elements of a page, joined.
    function elementsAt(uint256[] memory polynomial, uint256 page) internal view returns (bytes memory elements) {
        elements = new bytes(1024);
        for (uint256 j = 0; j < 32; j++) {
            uint256 value = _evaluate(polynomial, _point(page, j));
            assembly ("memory-safe") {
                mstore(add(add(elements, 32), shl(5, j)), value)
            }
        }
    }

    /// @notice What opens a page whose elements are said to be these, by a prover who means it: docs/spec.md §12.6.
    function proofsOf(uint256[] memory polynomial, uint256 page, bytes memory elements)
        internal
        view
        returns (bytes memory)
    {
        uint256[] memory quotient = quotientOf(polynomial);
        bytes memory commitment = commit(quotient);
        uint256 z = challenge(commit(polynomial), page, elements, commitment);
        (, bytes memory proof) = openAt(polynomial, z);
        (uint256 value, bytes memory quotientProof) = openAt(quotient, z);
        return abi.encodePacked(commitment, value, proof, quotientProof);
    }

    /// @notice The polynomial divided by x^32 − h; what is left over, of degree below 32, goes through the page's
    /// elements.
    /// @dev It is the upper half, whatever h is: upper · x^32 + lower = upper · (x^32 − h) + (lower + h · upper).
    function quotientOf(uint256[] memory polynomial) internal pure returns (uint256[] memory quotient) {
        quotient = new uint256[](32);
        for (uint256 i = 0; i < 32; i++) {
            quotient[i] = polynomial[i + 32];
        }
    }

    function challenge(bytes memory commitment, uint256 page, bytes memory elements, bytes memory quotient)
        internal
        pure
        returns (uint256)
    {
        bytes memory all = abi.encodePacked(uint8(10), commitment, uint8(page), elements, quotient);
        return uint256(keccak256(all)) % MODULUS;
    }

    function _evaluate(uint256[] memory polynomial, uint256 z) private pure returns (uint256 value) {
        for (uint256 i = polynomial.length; i > 0; i--) {
            value = addmod(polynomial[i - 1], mulmod(value, z, MODULUS), MODULUS);
        }
    }

    /// @dev Position k of a blob is the root of unity whose exponent is k, reversed in 12 bits.
    function _point(uint256 page, uint256 j) private view returns (uint256) {
        uint256 k = 32 * page + j;
        uint256 exponent = 0;
        for (uint256 bit = 0; bit < 12; bit++) {
            if (k >> bit & 1 == 1) exponent |= 1 << (11 - bit);
        }
        return _power(_power(7, (MODULUS - 1) / 4096), exponent);
    }

    /// @dev 32 coefficients by the inverse transform over the page's points, which are a · w^k; and a^32.
    function _interpolate(uint256 page, uint256[32] memory values)
        private
        view
        returns (uint256 power, uint256[32] memory coefficients)
    {
        uint256 a = _point(page, 0);
        uint256 w = _power(_power(7, (MODULUS - 1) / 32), MODULUS - 2);
        uint256 inverse = _power(a, MODULUS - 2);
        uint256 scale = _power(32, MODULUS - 2);
        for (uint256 i = 0; i < 32; i++) {
            uint256 sum = 0;
            for (uint256 n = 32; n > 0; n--) {
                // Element reverse(k) stands at a · w^k.
                uint256 k = n - 1;
                uint256 j = k >> 4 & 1 | k >> 2 & 2 | k & 4 | (k & 2) << 2 | (k & 1) << 4;
                sum = addmod(mulmod(sum, _small(w, i), MODULUS), values[j], MODULUS);
            }
            coefficients[i] = mulmod(sum, scale, MODULUS);
            scale = mulmod(scale, inverse, MODULUS);
        }
        power = _small(a, 32);
    }

    function _small(uint256 base, uint256 exponent) private pure returns (uint256 result) {
        result = 1;
        for (; exponent != 0; exponent >>= 1) {
            if (exponent & 1 == 1) result = mulmod(result, base, MODULUS);
            base = mulmod(base, base, MODULUS);
        }
    }

    function _power(uint256 base, uint256 exponent) private view returns (uint256) {
        (bool isDone, bytes memory result) = address(5).staticcall(abi.encode(32, 32, 32, base, exponent, MODULUS));
        require(isDone);
        return abi.decode(result, (uint256));
    }

    /// @dev The sum of coefficient times power of the setup, compressed to 48 bytes.
    function _sum(uint256[] memory coefficients, uint256 count) private view returns (bytes memory) {
        bytes memory powers = Setup.POWERS;
        bytes memory input = new bytes(count * 160);
        for (uint256 i = 0; i < count; i++) {
            uint256 scalar = coefficients[i];
            assembly ("memory-safe") {
                let to := add(add(input, 32), mul(i, 160))
                let from := add(add(powers, 32), mul(i, 96))
                mcopy(add(to, 16), from, 48)
                mcopy(add(to, 80), add(from, 48), 48)
                mstore(add(to, 128), scalar)
            }
        }
        (bool isDone, bytes memory sum) = G1_MSM.staticcall(input);
        require(isDone && sum.length == 128);
        return _compress(sum);
    }

    function _compress(bytes memory point) private pure returns (bytes memory) {
        (uint256 xHigh, uint256 xLow, uint256 yHigh, uint256 yLow) =
            abi.decode(point, (uint256, uint256, uint256, uint256));
        if (xHigh == 0 && xLow == 0 && yHigh == 0 && yLow == 0) return bytes.concat(hex"C0", new bytes(47));
        bool isGreater = yHigh > HALF_HIGH || (yHigh == HALF_HIGH && yLow > HALF_LOW);
        return abi.encodePacked(uint128(xHigh | uint256(isGreater ? 5 : 4) << 125), xLow);
    }
}
