// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICourt} from "../src/interfaces/ICourt.sol";
import {IEvidence} from "../src/interfaces/IEvidence.sol";
import {IPageExecutor} from "../src/interfaces/IPageExecutor.sol";
import {IRollupErrors} from "../src/interfaces/IRollupErrors.sol";
import {Accusations} from "../src/libraries/Accusations.sol";
import {ClaimedRoot, Predicate} from "../src/types/Convictions.sol";
import {Header} from "../src/types/Header.sol";
import {HeaderCases} from "./utils/HeaderCases.sol";
import {KzgLine} from "./utils/KzgLine.sol";

/// @title Headers that say something else than their last page, in both kinds of batches
contract CourtHeadersTest is HeaderCases {
    // Lies.

    function test_a_header_that_tells_the_truth_is_never_convicted() public {
        for (uint8 mode = 0; mode < 2; mode++) {
            Case memory honest = honestCase(mode, 131);
            postCase(honest);
            refuse(honest, abi.encodeWithSelector(ICourt.HeaderIsHonest.selector));
            convict(lyingCase(mode, 131, 0));
        }
    }

    function test_another_post_root_is_convicted() public {
        for (uint8 mode = 0; mode < 2; mode++) {
            convict(lyingCase(mode, 3, 0));
        }
    }

    function test_another_clock_is_convicted() public {
        for (uint8 mode = 0; mode < 2; mode++) {
            convict(lyingCase(mode, 3, 1));
        }
    }

    function test_another_next_sequence_number_is_convicted() public {
        for (uint8 mode = 0; mode < 2; mode++) {
            convict(lyingCase(mode, 3, 2));
        }
    }

    function test_another_cursor_is_convicted() public {
        for (uint8 mode = 0; mode < 2; mode++) {
            convict(lyingCase(mode, 3, 3));
        }
    }

    /// @dev Its root stands open under the mask.
    function test_a_masked_batch_is_convicted_without_any_key() public {
        deployMasked();
        bondWith(HOSPITAL, KEY);
        bondWith(CLINIC, OTHER_KEY);
        registerPeriod(0, "root of the period");
        pass(48 hours);
        for (uint8 mode = 2; mode < 4; mode++) {
            Case memory honest = honestCase(mode, 2);
            postCase(honest);
            refuse(honest, abi.encodeWithSelector(ICourt.HeaderIsHonest.selector));
            convict(lyingCase(mode, 2, 2));
        }
    }

    function test_the_last_page_of_a_full_batch_is_its_last() public {
        convict(lyingCase(1, 768, 1));
        Case memory small = lyingCase(0, 1, 1);
        convict(small);
    }

    /// @dev Any lie, of any size, and the same batch without it.
    function testFuzz_a_lie_is_convicted_and_the_truth_is_not(uint8 field, uint48 by, uint8 pages_) public {
        pages_ = uint8(bound(pages_, 1, 20));
        Case memory honest = honestCase(0, pages_);
        postCase(honest);
        refuse(honest, abi.encodeWithSelector(ICourt.HeaderIsHonest.selector));
        Case memory lie = honestCase(0, pages_);
        field = field % 3;
        if (field == 0) lie.header.postRoot = keccak256(abi.encode(by));
        if (field == 1) lie.header.clock -= uint48(bound(by, 1, 3_600_000));
        if (field == 2) lie.header.nextSequence += uint64(bound(by, 1, type(uint48).max));
        // A clock before its parent's is not taken at all.
        if (field == 1 && lie.header.clock < honest.header.clock) lie.header.clock = honest.header.clock + 1;
        postCase(lie);
        convictPosted(lie);
    }

    // What fits nothing.

    function test_a_root_that_was_not_posted_convicts_nobody() public {
        for (uint8 mode = 0; mode < 2; mode++) {
            Case memory lie = lyingCase(mode, 3, 1);
            postCase(lie);
            Case memory wrong = copy(lie);
            if (mode == 0) putRoot(wrong.last.page, 0, ~wrong.root);
            else wrong.last.blob.elements[31] ^= 0x01;
            refuse(wrong, abi.encodeWithSelector(IPageExecutor.WrongOpening.selector));
            // The page before the last, truly opened.
            wrong = copy(lie);
            if (mode == 0) wrong.last = openingOf(lie.header, lie.pages, 1);
            else wrong.last.blob = KzgLine.open(1, 1, lie.root);
            refuse(wrong, abi.encodeWithSelector(IPageExecutor.WrongOpening.selector));
            // An opening of the other kind.
            wrong = copy(lie);
            ClaimedRoot memory none;
            wrong.last = none;
            bytes4 error_ = mode == 0 ? IEvidence.NotAProof.selector : IPageExecutor.WrongOpening.selector;
            refuse(wrong, abi.encodeWithSelector(error_));
            convictPosted(lie);
        }
    }

    /// @dev What is there of it is right, and so is its path: it ends with a zero, as calldata does.
    function test_a_last_page_of_another_length_convicts_nobody() public {
        Case memory lie = lyingCase(0, 3, 1);
        lie.pages[lie.pages.length - 1] = 0;
        lie.header.dataReference = referenceOf(lie.pages);
        lie.last = openingOf(lie.header, lie.pages, 2);
        postCase(lie);
        bytes memory page = lie.last.page;
        bytes memory short = bytes.concat(page);
        assembly ("memory-safe") {
            mstore(short, 991)
        }
        bytes[3] memory pages_ = [bytes(""), short, bytes.concat(page, hex"00")];
        for (uint256 i = 0; i < 3; i++) {
            lie.last.page = pages_[i];
            refuse(lie, abi.encodeWithSelector(IPageExecutor.WrongOpening.selector));
        }
        lie.last.page = page;
        convictPosted(lie);
    }

    function test_a_page_beside_a_blob_s_opening_is_not_looked_at() public {
        Case memory honest = honestCase(1, 3);
        postCase(honest);
        honest.last.page = bytes.concat(~honest.root, new bytes(960));
        refuse(honest, abi.encodeWithSelector(ICourt.HeaderIsHonest.selector));
        Case memory lie = lyingCase(1, 3, 0);
        lie.last.page = "no page";
        convict(lie);
    }

    function test_a_row_that_is_not_meta_row_0_under_the_root_convicts_nobody() public {
        Case memory honest = honestCase(0, 3);
        postCase(honest);
        Case memory wrong = copy(honest);
        wrong.meta = metaOf(abi.encodePacked(uint64(99), uint48(5), uint64(0), new bytes(48)), 0);
        refuse(wrong, abi.encodeWithSelector(ICourt.NotMeta.selector));
        wrong.meta = "";
        refuse(wrong, abi.encodeWithSelector(IEvidence.NotAProof.selector));
        wrong.meta = bytes.concat(honest.meta, hex"00");
        refuse(wrong, abi.encodeWithSelector(IEvidence.NotAProof.selector));
        // Rows of the same bytes elsewhere, or of another length, under a root that the page claims.
        bytes memory row = rowOf(99, 5, 0);
        wrong = caseOf(0, 3, metaOf(row, 1));
        postCase(wrong);
        refuse(wrong, abi.encodeWithSelector(ICourt.NotMeta.selector));
        wrong = caseOf(0, 3, metaOf(bytes.concat(row, hex"00"), 0));
        postCase(wrong);
        refuse(wrong, abi.encodeWithSelector(ICourt.NotMeta.selector));
    }

    function test_a_header_that_is_not_in_the_chain_convicts_nobody() public {
        Case memory lie = lyingCase(0, 3, 1);
        bytes memory reason = abi.encodeWithSelector(ICourt.NotItsHeader.selector, lie.header.number);
        refuse(lie, reason);
        postCase(lie);
        Case memory wrong = copy(lie);
        wrong.header.clock++;
        refuse(wrong, reason);
        convictPosted(lie);
        refuse(lie, reason);
        // Genesis has a header, and no page.
        Header memory genesis;
        genesis.postRoot = defaults().genesisRoot;
        wrong.header = genesis;
        refuse(wrong, abi.encodeWithSelector(ICourt.NotItsHeader.selector, 0));
    }

    function test_a_lie_whose_window_is_over_stands() public {
        Case memory lie = lyingCase(0, 3, 1);
        postCase(lie);
        pass(7 days);
        refuse(lie, abi.encodeWithSelector(IRollupErrors.WindowOver.selector, 1));
    }

    /// @dev With any gas it convicts or reverts, and an honest header never.
    function test_too_little_gas_convicts_nobody() public {
        Case memory honest = honestCase(1, 3);
        postCase(honest);
        for (uint256 gas_ = 30_000; gas_ < 400_000; gas_ += 30_000) {
            try court.convictHeader{gas: gas_}(rollup, honest.header, honest.last, honest.meta, SALT) {
                vm.assertTrue(false, "an honest header was convicted");
            } catch {}
        }
        (uint64 number,) = rollup.head();
        vm.assertEq(number, 1);
    }

    function test_a_rollup_listens_to_its_own_court_alone() public {
        Case memory lie = lyingCase(0, 3, 1);
        postCase(lie);
        ICourt another = ICourt(address(0xE003));
        vm.etch(address(another), COURT.code);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotJudge.selector, address(another)));
        another.convictHeader(rollup, lie.header, lie.last, lie.meta, SALT);
    }

    // What they do.

    function refuse(Case memory given, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(HOSPITAL);
        court.convictHeader(rollup, given.header, given.last, given.meta, SALT);
    }

    /// @dev Posts the lie and convicts; a new sequencer stands in line for the next.
    function convict(Case memory lie) private {
        postCase(lie);
        convictPosted(lie);
    }

    function convictPosted(Case memory lie) private {
        address poster = rollup.sequencer();
        bytes32 contentHash = keccak256(abi.encode(lie.header));
        bytes32 accusation_ = Accusations.hash(Predicate.Header, contentHash, lie.header.pages - 1, lie.root);
        uint256 owed = rollup.owed(HOSPITAL);
        commit(HOSPITAL, accusation_);
        nextBlock();
        vm.cool(address(rollup));
        vm.prank(HOSPITAL);
        court.convictHeader(rollup, lie.header, lie.last, lie.meta, SALT);
        tell(lie.header.mode & 1 == 1 ? "convictHeader, blobs" : "convictHeader, calldata");
        (uint64 number,) = rollup.head();
        vm.assertEq(number, lie.header.number - 1);
        vm.assertEq(rollup.convictions(accusation_).account, poster);
        vm.assertEq(rollup.owed(HOSPITAL), owed + 3.2 ether);
        address fresh = address(uint160(0xF200 + lie.header.slot));
        vm.deal(fresh, 32 ether);
        if (!rollup.parameters().masked) bondWith(fresh, KEY);
    }
}
