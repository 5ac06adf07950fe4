// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Pages} from "./executor/Pages.sol";
import {IPageExecutor} from "./interfaces/IPageExecutor.sol";
import {Precompiles} from "./libraries/Precompiles.sol";

/// @title Runs one page, as every verifier does
/// @dev Stateless, and apart from the Rollup, whose code has no room to spare. What it does is told in `IPageExecutor`.
///
///     Witnesses ─▶ Framing ─▶ Names ─▶ Admission ─▶ Log ─▶ Tree
///                                      Signing ◀┘└▶ Rights ─▶ Verdicts
contract PageExecutor is IPageExecutor {
    constructor() {
        Precompiles.check();
    }

    /// @inheritdoc IPageExecutor
    function execute(
        uint64 chainId,
        address rollup,
        bytes32 preRoot,
        bytes32[31] calldata page,
        bytes calldata item,
        bytes calldata witness
    ) external view returns (Outcome memory outcome) {
        return Pages.apply_(chainId, rollup, preRoot, page, item, witness);
    }
}
