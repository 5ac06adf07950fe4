// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cases} from "./executor/Cases.sol";
import {Pages} from "./executor/Pages.sol";
import {Rows} from "./executor/Rows.sol";
import {Run} from "./executor/Run.sol";
import {IPageExecutor, PageCase} from "./interfaces/IPageExecutor.sol";
import {Accusations} from "./libraries/Accusations.sol";
import {Precompiles} from "./libraries/Precompiles.sol";
import {Receipts} from "./libraries/Receipts.sol";
import {Predicate} from "./types/Convictions.sol";
import {Epoch} from "./types/State.sol";

/// @title Runs one page, as every verifier does, and convicts by it
/// @dev Stateless, and apart from the Rollup, whose code has no room to spare. What it does is told in `IPageExecutor`.
///
///     Cases ─▶ Openings
///       └────▶ Pages ─▶ Witnesses ─▶ Framing ─▶ Names ─▶ Admission ─▶ Log ─▶ Tree
///                                                        Signing ◀┘└▶ Rights ─▶ Verdicts
contract PageExecutor is IPageExecutor {
    constructor() {
        Precompiles.check();
    }

    /// @inheritdoc IPageExecutor
    function convictPage(PageCase calldata given) external {
        (Run memory run, Outcome memory outcome, bytes32 contentHash) = Cases.run(given);
        require(!Cases.isHonest(run, outcome), PageIsHonest());
        bytes32 accusation = Accusations.hash(Predicate.Page, contentHash, given.index, outcome.root);
        given.rollup.convictBatch(given.header.number, accusation, msg.sender, given.salt);
    }

    /// @inheritdoc IPageExecutor
    function convictContradiction(PageCase calldata given, bytes calldata receipt) external {
        Epoch memory epoch = given.rollup.epochs(given.header.epoch);
        Receipts.Receipt memory said = Receipts.open(receipt, address(given.rollup), epoch.receiptKey);
        require(said.epoch == given.header.epoch, WrongEpoch());
        (Run memory run, Outcome memory outcome,) = Cases.run(given);
        require(Cases.isHonest(run, outcome), PageIsNotHonest());
        bool isSpanned = said.firstSequence >= run.sequence && said.firstSequence < Rows.nextSequence(run.meta);
        require(isSpanned, OutsideOfPage());
        bytes32 digest = Cases.digestAt(run, said.firstSequence);
        require(digest == 0 || digest != said.digest || run.clock != said.clock, ReceiptIsKept());
        bytes32 accusation = Accusations.hash(Predicate.Contradiction, said.leaf, 0, 0);
        given.rollup.convictSequencer(epoch.sequencer, accusation, msg.sender, given.salt);
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
        Run memory run;
        Pages.begin(run, rollup, chainId, page, witness);
        return Pages.finish(run, preRoot, item);
    }
}
