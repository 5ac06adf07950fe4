// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICourt} from "../../src/interfaces/ICourt.sol";
import {IPageExecutor, PageCase} from "../../src/interfaces/IPageExecutor.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {IRollupErrors} from "../../src/interfaces/IRollupErrors.sol";
import {Accusations} from "../../src/libraries/Accusations.sol";
import {ClaimedRoot, Conviction, Predicate} from "../../src/types/Convictions.sol";
import {Header} from "../../src/types/Header.sol";
import {Parameters} from "../../src/types/Parameters.sol";
import {Standing} from "../../src/types/State.sol";
import {Deploy} from "../utils/Deploy.sol";
import {Terms} from "../utils/Terms.sol";
import {CaseFixture} from "./CaseFixture.sol";

/// @title Rollup, PageExecutor and Court as they are deployed together
/// @dev Batches of one page of the golden vectors, in calldata, on top of genesis.
contract TogetherTest is CaseFixture {
    uint256 private constant START = 1_800_000_000;
    uint128 private constant BOND = 32 ether;
    address private constant SEQUENCER = address(0x5E9);

    IRollup private rollup;
    ICourt private court;

    function setUp() public override {
        super.setUp();
        vm.warp(START);
        court = ICourt(Deploy.named("Court"));
        rollup = IRollup(address(ROLLUP));
        place(load(1, 5).preRoot);
        vm.deal(SEQUENCER, BOND);
        vm.prank(SEQUENCER);
        rollup.bond{value: BOND}(address(0x4EC));
    }

    /// @dev Its constructor runs where the vectors have it: the signatures in their pages name that address.
    function place(bytes32 genesisRoot) private {
        Parameters memory given = Terms.production();
        given.genesisRoot = genesisRoot;
        (given.owner, given.keyOfficer) = (address(1), address(1));
        (given.executor, given.court) = (address(executor), address(court));
        vm.etch(address(rollup), Deploy.creation("Rollup", abi.encode(given)));
        (bool isMade, bytes memory code) = address(rollup).call("");
        vm.assertTrue(isMade);
        vm.etch(address(rollup), code);
    }

    function test_a_wrong_page_goes_and_who_committed_is_paid() public {
        Step memory step = load(1, 5);
        PageCase memory given = batchOf(step, keccak256("a lie"), keccak256("a lie"));
        bytes32 accusation = Accusations.hash(Predicate.Page, keccak256(abi.encode(given.header)), 0, step.root);
        vm.prank(CHALLENGER);
        rollup.commit(Accusations.commitment(CHALLENGER, accusation, SALT));
        vm.roll(vm.getBlockNumber() + 1);
        vm.assertEq(bytes32(errorOf(given)), 0);
        checkConvicted(accusation, false);
        vm.assertEq(rollup.owed(CHALLENGER), BOND / 10);
        // Nothing is left of the batch to convict.
        vm.assertEq(bytes32(errorOf(given)), bytes32(IPageExecutor.WrongHeader.selector));
    }

    function test_a_right_page_stays_and_a_header_that_lies_about_it_goes() public {
        Step memory step = load(1, 5);
        PageCase memory given = batchOf(step, step.root, keccak256("a lie"));
        vm.assertEq(bytes32(errorOf(given)), bytes32(IPageExecutor.PageIsHonest.selector));
        (uint64 number,) = rollup.head();
        vm.assertEq(number, 1);
        ClaimedRoot memory last;
        (last.page, last.inclusion) = (given.page, given.inclusion);
        vm.prank(CHALLENGER);
        court.convictHeader(rollup, given.header, last, "", SALT);
        checkConvicted(Accusations.hash(Predicate.Header, keccak256(abi.encode(given.header)), 0, step.root), true);
    }

    function test_who_is_no_judge_convicts_nobody() public {
        batchOf(load(1, 5), keccak256("a lie"), keccak256("a lie"));
        vm.prank(CHALLENGER);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotJudge.selector, CHALLENGER));
        rollup.convictBatch(1, keccak256("an accusation"), CHALLENGER, SALT);
    }

    /// @dev The step's page, claiming this root, alone in a batch that says to lead to `postRoot`.
    function batchOf(Step memory step, bytes32 claimed, bytes32 postRoot) private returns (PageCase memory given) {
        given.rollup = rollup;
        given.witness = step.witness;
        given.salt = SALT;
        given.page = bytes.concat(claimed, slice(step.page, 32, 960));
        given.inclusion = abi.encodePacked(uint64(0), uint64(1), uint8(0));
        // Of genesis, which has a header of zeros.
        given.parent.postRoot = step.preRoot;
        given.header = Header({
            mode: 0,
            dataReference: keccak256(bytes.concat(hex"00", given.page)),
            parent: keccak256(abi.encode(given.parent)),
            number: 1,
            epoch: rollup.epoch(),
            slot: rollup.slot(),
            pages: 1,
            postRoot: postRoot,
            clock: uint48(START * 1000),
            nextSequence: 1,
            cursor: 0
        });
        vm.prank(SEQUENCER, SEQUENCER);
        rollup.postCalldata(given.header, given.page);
    }

    function checkConvicted(bytes32 accusation, bool isHeld) private view {
        (uint64 number,) = rollup.head();
        vm.assertEq(number, 0);
        Conviction memory conviction = rollup.convictions(accusation);
        vm.assertEq(conviction.account, SEQUENCER);
        vm.assertEq(conviction.challenger, CHALLENGER);
        vm.assertEq(conviction.isHeld, isHeld);
        vm.assertEq(uint8(rollup.sequencers(SEQUENCER).standing), uint8(Standing.Convicted));
    }
}
