// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPageExecutor} from "../interfaces/IPageExecutor.sol";
import {Precompiles} from "../libraries/Precompiles.sol";
import {Codes} from "./Codes.sol";
import {Memory} from "./Memory.sol";

/// @title Signatures of principals
/// @dev Source: docs/spec.md §7.5; EIP-2098, EIP-7951. A precompile that runs out of gas fails; one that says no answers
/// nothing, and succeeds. So a call that fails reverts: it never makes an envelope refusable.
library Signatures {
    uint256 private constant SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    uint256 private constant P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;
    /// @dev What the two ask, 3,000 and 6,900, and room for dearer days.
    uint256 private constant GAS_MIN = 30_000;

    /// @dev 0, or the refusal. `signature` and `key` are pointers.
    function verify(uint256 kind, uint256 key, bytes32 digest, uint256 signature) internal view returns (uint256) {
        unchecked {
            uint256 r = Memory.word(signature);
            uint256 s = Memory.word(signature + 32);
            bool holds;
            if (kind == Codes.SECP256K1) {
                uint256 parity = s >> 255;
                s &= type(uint256).max >> 1;
                if (_isMalformed(r, s, SECP256K1_ORDER)) return Codes.MALFORMED;
                uint256 signer = _recover(digest, 27 + parity, r, s);
                holds = signer != 0 && signer == Memory.word(key) >> 96;
            } else {
                if (_isMalformed(r, s, P256_ORDER)) return Codes.MALFORMED;
                holds = _isVerified(digest, r, s, key);
            }
            return holds ? 0 : Codes.WRONG;
        }
    }

    function _isMalformed(uint256 r, uint256 s, uint256 order) private pure returns (bool) {
        return r == 0 || r >= order || s == 0 || s > order >> 1;
    }

    /// @dev Zero where there is none.
    function _recover(bytes32 digest, uint256 v, uint256 r, uint256 s) private view returns (uint256 signer) {
        address callee = Precompiles.ECRECOVER;
        bool isAnswered;
        require(gasleft() > GAS_MIN, IPageExecutor.Starved());
        assembly ("memory-safe") {
            let ptr := mload(0x40)
            mstore(ptr, digest)
            mstore(add(ptr, 32), v)
            mstore(add(ptr, 64), r)
            mstore(add(ptr, 96), s)
            mstore(0, 0)
            isAnswered := staticcall(gas(), callee, ptr, 128, 0, 32)
            signer := mul(mload(0), eq(returndatasize(), 32))
        }
        require(isAnswered, IPageExecutor.Starved());
    }

    /// @dev Digest ‖ r ‖ s ‖ x ‖ y, answered by a one or by nothing.
    function _isVerified(bytes32 digest, uint256 r, uint256 s, uint256 key) private view returns (bool holds) {
        address callee = Precompiles.P256_VERIFY;
        bool isAnswered;
        require(gasleft() > GAS_MIN, IPageExecutor.Starved());
        assembly ("memory-safe") {
            let ptr := mload(0x40)
            mstore(ptr, digest)
            mstore(add(ptr, 32), r)
            mstore(add(ptr, 64), s)
            mcopy(add(ptr, 96), key, 64)
            isAnswered := staticcall(gas(), callee, ptr, 160, 0, 32)
            holds := and(eq(returndatasize(), 32), eq(mload(0), 1))
        }
        require(isAnswered, IPageExecutor.Starved());
    }
}
