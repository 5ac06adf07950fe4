// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICourt} from "../../src/interfaces/ICourt.sol";
import {IPageExecutor, PageCase} from "../../src/interfaces/IPageExecutor.sol";
import {Deploy} from "../utils/Deploy.sol";
import {Bench} from "./Bench.sol";
import {CaseBuilder} from "./CaseBuilder.sol";
import {CaseFixture} from "./CaseFixture.sol";
import {RollupMock} from "./RollupMock.sol";

/// @title Receipts that a page in the chain breaks, and receipts that it keeps
/// @dev On honest pages of the golden vectors. A group of two receipts, of which ours is the second.
contract ContradictionsTest is CaseFixture {
    struct Said {
        uint64 epoch;
        uint64 first;
        uint8 events;
        uint48 clock;
        bytes32 digest;
    }

    uint256 private constant KEY = 0xBEEF;
    address private constant SEQUENCER = address(0x5E9);

    Bench private bench;

    function setUp() public override {
        super.setUp();
        bench = Bench(Deploy.named("Bench"));
        ROLLUP.start(EPOCH, SEQUENCER, vm.addr(KEY));
        ROLLUP.start(EPOCH + 1, SEQUENCER, vm.addr(KEY));
    }

    /// @dev Three systems; one envelope of many events; two of one signer; a forced one.
    function test_a_receipt_that_the_page_keeps_convicts_nobody() public {
        uint8[3][4] memory places = [[1, 0, 3], [1, 1, 1], [1, 13, 2], [2, 0, 1]];
        for (uint256 i = 0; i < 4; i++) {
            this.keep(places[i][0], places[i][1], places[i][2], i % 2 == 0);
        }
    }

    function keep(uint256 chain, uint256 place, uint256 envelopes, bool isBlobs) external {
        Step memory step = load(chain, place);
        PageCase memory given = posted(step, Way(isBlobs, true, 1), step.root);
        Said[] memory said = promises(step);
        vm.assertEq(said.length, envelopes);
        for (uint256 i = 0; i < envelopes; i++) {
            vm.assertEq(bytes32(errorOf(given, said[i])), bytes32(IPageExecutor.ReceiptIsKept.selector));
        }
        vm.assertEq(ROLLUP.convictions(), 0);
    }

    function test_another_envelope_at_the_place_convicts() public {
        uint8[2][3] memory places = [[1, 0], [1, 13], [2, 0]];
        for (uint256 i = 0; i < 3; i++) {
            Step memory step = load(places[i][0], places[i][1]);
            PageCase memory given = posted(step, Way(i % 2 == 0, true, 1), step.root);
            Said[] memory all = promises(step);
            Said memory said = all[all.length - 1];
            said.digest = keccak256("another envelope");
            convict(given, said);
            // A digest of zero is that of no envelope.
            said.digest = 0;
            convict(given, said);
        }
    }

    function test_another_clock_convicts() public {
        Step memory step = load(1, 13);
        PageCase memory given = posted(step, Way(false, false, 0), step.root);
        Said memory said = promises(step)[1];
        said.clock++;
        convict(given, said);
        said.clock -= 2;
        convict(given, said);
    }

    /// @dev The envelope is there, but begins earlier, or the next one stands in its place.
    function test_an_envelope_that_begins_elsewhere_convicts() public {
        Step memory step = load(1, 1);
        PageCase memory given = posted(step, Way(false, false, 0), step.root);
        Said memory said = promises(step)[0];
        said.first++;
        convict(given, said);
        // Nor is a digest of zero that of no envelope.
        said.digest = 0;
        convict(given, said);
        step = load(1, 13);
        given = posted(step, Way(false, false, 0), step.root);
        Said[] memory both = promises(step);
        (both[0].first, both[1].first) = (both[1].first, both[0].first);
        convict(given, both[0]);
        convict(given, both[1]);
    }

    function test_a_place_outside_of_the_page_convicts_nobody() public {
        Step memory step = load(1, 13);
        PageCase memory given = posted(step, Way(false, false, 0), step.root);
        Said[] memory both = promises(step);
        Said memory said = both[0];
        said.digest = keccak256("another envelope");
        said.first--;
        refuse(given, said, IPageExecutor.OutsideOfPage.selector);
        said.first = both[1].first + both[1].events;
        refuse(given, said, IPageExecutor.OutsideOfPage.selector);
        said.first--;
        convict(given, said);
    }

    /// @dev A forced envelope that is skipped has no sequence number; nor has a page without envelopes, or an org item.
    function test_a_page_without_events_contradicts_nothing() public {
        uint8[2][3] memory places = [[2, 1], [2, 8], [1, 15]];
        for (uint256 i = 0; i < 3; i++) {
            Step memory step = load(places[i][0], places[i][1]);
            PageCase memory given = posted(step, Way(false, false, 0), step.root);
            Said memory said = Said(EPOCH, sequenceOf(step), 1, 5, keccak256("an envelope"));
            refuse(given, said, IPageExecutor.OutsideOfPage.selector);
        }
    }

    function test_a_receipt_of_another_epoch_convicts_nobody() public {
        Step memory step = load(1, 13);
        PageCase memory given = posted(step, Way(false, false, 0), step.root);
        Said memory said = promises(step)[0];
        said.digest = keccak256("another envelope");
        said.epoch++;
        refuse(given, said, IPageExecutor.WrongEpoch.selector);
    }

    function test_a_receipt_of_another_hand_convicts_nobody() public {
        Step memory step = load(1, 13);
        PageCase memory given = posted(step, Way(false, false, 0), step.root);
        Said memory said = promises(step)[0];
        said.digest = keccak256("another envelope");
        ROLLUP.start(EPOCH, SEQUENCER, address(0xBAD));
        refuse(given, said, ICourt.WrongSignature.selector);
        ROLLUP.start(EPOCH, SEQUENCER, address(0));
        refuse(given, said, ICourt.WrongSignature.selector);
    }

    /// @dev Where the page is at fault, that convicts: nothing is read out of it.
    function test_a_page_that_is_not_honest_contradicts_nothing() public {
        Step memory step = load(1, 13);
        Said memory said = promises(step)[0];
        said.digest = keccak256("another envelope");
        PageCase memory given = posted(step, Way(false, false, 0), keccak256("a lie"));
        refuse(given, said, IPageExecutor.PageIsNotHonest.selector);
        step = load(3, 19);
        given = posted(step, Way(false, false, 0), 0);
        refuse(given, said, IPageExecutor.PageIsNotHonest.selector);
    }

    function test_a_contradiction_does_not_outlive_its_batch() public {
        Step memory step = load(1, 13);
        PageCase memory given = posted(step, Way(false, false, 0), step.root);
        Said memory said = promises(step)[0];
        said.digest = keccak256("another envelope");
        ROLLUP.post(NUMBER, 0);
        refuse(given, said, IPageExecutor.WrongHeader.selector);
    }

    function test_too_little_gas_contradicts_nothing() public {
        Step memory step = load(1, 1);
        PageCase memory given = posted(step, Way(false, false, 0), step.root);
        bytes memory call_ = abi.encodeCall(IPageExecutor.convictContradiction, (given, receiptOf(promises(step)[0])));
        for (uint256 limit = 20_000; limit < 700_000; limit += 1511) {
            (bool isDone,) = address(executor).call{gas: limit}(call_);
            vm.assertFalse(isDone);
        }
        vm.assertEq(ROLLUP.convictions(), 0);
    }

    function convict(PageCase memory given, Said memory said) private {
        uint256 before = ROLLUP.convictions();
        vm.assertEq(bytes32(errorOf(given, said)), 0);
        vm.assertEq(ROLLUP.convictions(), before + 1);
        RollupMock.Word memory word = ROLLUP.last();
        vm.assertEq(word.subject, keccak256(abi.encode(uint8(4), leafOf(said), uint256(0), bytes32(0))));
        vm.assertEq(word.account, SEQUENCER);
        vm.assertEq(word.challenger, CHALLENGER);
        vm.assertEq(word.salt, SALT);
        vm.assertEq(word.judge, address(executor));
    }

    function refuse(PageCase memory given, Said memory said, bytes4 expected) private {
        uint256 before = ROLLUP.convictions();
        vm.assertEq(bytes32(errorOf(given, said)), bytes32(expected));
        vm.assertEq(ROLLUP.convictions(), before);
    }

    function errorOf(PageCase memory given, Said memory said) private returns (bytes4) {
        bytes memory receipt = receiptOf(said);
        vm.prank(CHALLENGER);
        try executor.convictContradiction(given, receipt) {
            return 0;
        } catch (bytes memory reason) {
            return reason.length < 4 ? bytes4(0xffffffff) : bytes4(reason);
        }
    }

    /// @dev What a truthful sequencer said of the page's envelopes: decoded one by one, by the shortest bytes that are one.
    function promises(Step memory step) private view returns (Said[] memory said) {
        uint256 ptr = 39;
        uint64 first = sequenceOf(step);
        uint48 clock = uint48(bytes6(slice(step.page, 32, 6)));
        said = new Said[](8);
        uint256 count = 0;
        while (ptr + 4 <= 992 && uint32(bytes4(slice(step.page, ptr, 4))) != 0) {
            uint256 length = 115;
            uint256 refusal = 1;
            while (refusal != 0) {
                (refusal,) = bench.decode(slice(step.page, ptr, ++length));
            }
            uint8 events = uint8(step.page[ptr + 114]);
            said[count++] = Said(EPOCH, first, events, clock, keccak256(slice(step.page, ptr, length)));
            ptr += length;
            first += events;
        }
        assembly ("memory-safe") {
            mstore(said, count)
        }
    }

    /// @dev Of the witness's meta row 0.
    function sequenceOf(Step memory step) private pure returns (uint64) {
        return uint64(bytes8(slice(step.witness, 13, 8)));
    }

    function leafOf(Said memory said) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(3), said.epoch, said.first, said.events, said.clock, said.digest));
    }

    function receiptOf(Said memory said) private pure returns (bytes memory) {
        bytes32 other = keccak256("another receipt");
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Chartroll"),
                keccak256("1"),
                uint256(31_337),
                address(ROLLUP)
            )
        );
        bytes32 root = CaseBuilder.node(other, leafOf(said));
        bytes32 struct_ = keccak256(abi.encode(keccak256("Receipt(uint64 epoch,bytes32 groupRoot)"), said.epoch, root));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, keccak256(abi.encodePacked(hex"1901", domain, struct_)));
        bytes memory place = abi.encodePacked(said.epoch, said.first, said.events, said.clock, said.digest);
        bytes memory path = abi.encodePacked(uint32(1), uint32(2), uint8(1), other);
        return bytes.concat(place, path, r, bytes32(uint256(s) | uint256(v - 27) << 255));
    }
}
