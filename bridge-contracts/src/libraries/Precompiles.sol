// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupErrors} from "../interfaces/IRollupErrors.sol";

/// @title The precompiles that convictions stand on
/// @dev Asked once, in the constructor: on a chain that lacks one, or answers it wrongly, nothing is deployed.
library Precompiles {
    address internal constant ECRECOVER = address(0x01);
    address internal constant POINT_EVALUATION = address(0x0a);
    address internal constant P256_VERIFY = address(0x100);

    /// @dev A point evaluation that fails takes all the gas it is given. It needs 50,000.
    uint256 private constant EVALUATION_GAS = 100_000;

    /// @dev Signed by both keys below: core/vectors/signatures.json, "secp256k1: signed, one" and "P-256: signed, one".
    bytes32 private constant DIGEST = 0x23dc111d7c3ad1df9806ce1e8eb4f55f57dba117339c545e7593d1f6c3b02662;

    /// @dev Each must say yes to what holds, and anything but that to what does not.
    function check() internal view {
        require(_isRecovered(DIGEST) && !_isRecovered(~DIGEST), IRollupErrors.PrecompileFails(ECRECOVER));
        require(_isVerified(DIGEST) && !_isVerified(~DIGEST), IRollupErrors.PrecompileFails(P256_VERIFY));
        require(_isOpened(0) && !_isOpened(1), IRollupErrors.PrecompileFails(POINT_EVALUATION));
    }

    function _isRecovered(bytes32 digest) private pure returns (bool) {
        bytes32 r = 0x4a7a4b278b5368f8fe9fe27cf5fbc80d46ab7ec2c4d22e00d0c43125ea21a32f;
        bytes32 s = 0x0f05f1f4643e46774162d7ee54e885d68a11d26721ac620563448ba0e0a37830;
        return ecrecover(digest, 27, r, s) == 0xd392e04CD2732EAEe12763E428F0BA60C47C8aa1;
    }

    /// @dev EIP-7951: digest ‖ r ‖ s ‖ x ‖ y, answered by a one or by nothing.
    function _isVerified(bytes32 digest) private view returns (bool) {
        (bool isAnswered, bytes memory answer) = P256_VERIFY.staticcall(
            abi.encodePacked(
                digest,
                hex"d95823b923c1c2ca1606fa2a593f754fccc47896149c42db9907e74e8f4b9877",
                hex"778949cfcba33568a7cfa96c2b34e59297e764935b47d02d832459030a60c254",
                hex"e8aa33da552e012fc7ca673133c57cc1c94db9d78d7280a8fc344114da7f5b34",
                hex"248294574e3df7447cc5caf06e79149f263a8c990f57acebf65131002deed92b"
            )
        );
        // forge-lint: disable-next-line(unsafe-typecast): the length was compared.
        return isAnswered && answer.length == 32 && bytes32(answer) == bytes32(uint256(1));
    }

    /// @dev EIP-4844: versioned hash ‖ z ‖ y ‖ commitment ‖ proof, answered by the size of a blob and the field's
    /// modulus. The vector is the one of go-ethereum's tests; `wrongBy` is added to y.
    function _isOpened(uint256 wrongBy) private view returns (bool) {
        uint256 y = 0x24d25032e67a7e6a4910df5834b8fe70e6bcfeeac0352434196bdf4b2485d5a1;
        (bool isAnswered, bytes memory answer) = POINT_EVALUATION.staticcall{gas: EVALUATION_GAS}(
            abi.encodePacked(
                hex"01e798154708fe7789429634053cbf9f99b619f9f084048927333fce637f549b",
                hex"564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306",
                y + wrongBy,
                hex"8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca2",
                hex"5f26936857bc3a7c2539ea8ec3a952b7",
                hex"873033e038326e87ed3e1276fd140253fa08e9fc25fb2d9a98527fc22a2c9612",
                hex"fbeafdad446cbc7bcdbdcd780af2c16a"
            )
        );
        return isAnswered && keccak256(answer) == keccak256(abi.encode(4096, MODULUS));
    }

    /// @dev Order of BLS12-381's scalar field.
    uint256 private constant MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
}
