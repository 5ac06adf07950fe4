// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvidence} from "../../src/interfaces/IEvidence.sol";
import {IPageExecutor, PageCase} from "../../src/interfaces/IPageExecutor.sol";
import {CaseBuilder} from "./CaseBuilder.sol";
import {CaseFixture} from "./CaseFixture.sol";

/// @title What does not belong to the case, or starves, convicts nobody
/// @dev Each on a page that would be convicted, or is honest, if nothing were wrong.
contract CaseFaultsTest is CaseFixture {
    /// @dev Calls made up in `setUp`: an honest page and one that is not, in blobs and masked, behind another.
    bytes private honest;
    bytes private wrong;
    bytes32 private right;

    function setUp() public override {
        super.setUp();
        Step memory step = load(1, 5);
        right = step.root;
        // Two batches, of which the mock has both.
        wrong = abi.encodeCall(IPageExecutor.convictPage, (posted(step, Way(true, true, 1), ~step.root)));
        PageCase memory given = posted(step, Way(true, true, 1), step.root);
        given.header.number = NUMBER + 1;
        ROLLUP.post(NUMBER + 1, keccak256(abi.encode(given.header)));
        honest = abi.encodeCall(IPageExecutor.convictPage, (given));
        posted(step, Way(true, true, 1), ~step.root);
    }

    /// @dev At any gas: of an honest page nothing but `PageIsHonest` or a failure, of the other the one accusation.
    function testFuzz_no_gas_limit_convicts_an_honest_page(uint256 limit) public {
        limit %= 500_000;
        (bool isDone, bytes memory reason) = address(executor).call{gas: limit}(honest);
        vm.assertFalse(isDone);
        if (limit > 420_000) vm.assertEq(bytes32(bytes4(reason)), bytes32(IPageExecutor.PageIsHonest.selector));
        vm.assertEq(ROLLUP.convictions(), 0);
    }

    function testFuzz_no_gas_limit_changes_an_accusation(uint256 limit) public {
        limit %= 700_000;
        vm.prank(CHALLENGER);
        (bool isDone,) = address(executor).call{gas: limit}(wrong);
        vm.assertTrue(isDone || limit <= 560_000);
        vm.assertEq(ROLLUP.convictions(), isDone ? 1 : 0);
        if (!isDone) return;
        PageCase memory given = this.decode(wrong);
        checkConvicted(given, right, 1);
    }

    function decode(bytes calldata call_) external pure returns (PageCase memory) {
        return abi.decode(call_[4:], (PageCase));
    }

    /// @dev Pages that are short: every gas limit in small steps, signatures of both curves, forced and skipped.
    function test_starved_precompiles_convict_nobody() public {
        uint8[2][4] memory places = [[1, 0], [1, 5], [2, 0], [2, 7]];
        for (uint256 i = 0; i < 4; i++) {
            this.starve(places[i][0], places[i][1]);
        }
    }

    function starve(uint256 chain, uint256 place) external {
        Step memory step = load(chain, place);
        PageCase memory given = posted(step, Way(false, false, 0), step.root);
        for (uint256 limit = 20_000; limit < 420_000; limit += 1009) {
            (bool isDone,) = address(executor).call{gas: limit}(abi.encodeCall(IPageExecutor.convictPage, (given)));
            vm.assertFalse(isDone);
        }
        vm.assertEq(bytes32(errorOf(given)), bytes32(IPageExecutor.PageIsHonest.selector));
    }

    function test_no_changed_byte_of_a_witness_convicts() public {
        uint8[2][5] memory places = [[1, 2], [1, 5], [2, 0], [2, 15], [3, 18]];
        for (uint256 i = 0; i < 5; i++) {
            this.flip(places[i][0], places[i][1]);
        }
        vm.assertEq(ROLLUP.convictions(), 0);
    }

    function flip(uint256 chain, uint256 place) external {
        Step memory step = load(chain, place);
        PageCase memory given = posted(step, Way(false, false, 0), step.root);
        for (uint256 i = place % 7; i < given.witness.length; i += 7) {
            given.witness[i] ^= 0x01;
            // The cursor of a page that is forced is looked at first: there is no such item.
            vm.assertTrue(errorOf(given) != 0);
            given.witness[i] ^= 0x01;
        }
        given.witness = slice(given.witness, 0, given.witness.length - 1);
        vm.assertEq(bytes32(errorOf(given)), bytes32(IPageExecutor.MalformedWitness.selector));
        given.witness = "";
        vm.assertEq(bytes32(errorOf(given)), bytes32(IPageExecutor.MalformedWitness.selector));
    }

    function test_another_header_convicts_nobody() public {
        PageCase memory given = lie(false, 0);
        given.header.number++;
        refuse(given, IPageExecutor.WrongHeader.selector);
        given.header.number--;
        given.header.slot++;
        refuse(given, IPageExecutor.WrongHeader.selector);
        given.header.slot--;
        given.header.pages = 9;
        refuse(given, IPageExecutor.WrongHeader.selector);
        given.header.pages = 2;
        ROLLUP.post(NUMBER, 0);
        refuse(given, IPageExecutor.WrongHeader.selector);
    }

    /// @dev Words of a header that are too wide for their fields would be another header with the same fields.
    function test_a_header_has_one_encoding() public {
        bytes memory call_ = abi.encodeCall(IPageExecutor.convictPage, (lie(false, 0)));
        // Selector, offset of the case, rollup; then the header's mode.
        for (uint256 word = 2; word < 13; word++) {
            call_[4 + 32 * word] ^= 0x01;
            (bool isDone, bytes memory reason) = address(executor).call(call_);
            vm.assertFalse(isDone);
            vm.assertTrue(reason.length == 0 || bytes4(reason) == IPageExecutor.WrongHeader.selector, "another error");
            call_[4 + 32 * word] ^= 0x01;
        }
        (bool isConvicted,) = address(executor).call(call_);
        vm.assertTrue(isConvicted);
    }

    function test_another_parent_convicts_nobody() public {
        PageCase memory given = lie(false, 0);
        given.parent.postRoot = keccak256("another state");
        refuse(given, IPageExecutor.WrongParent.selector);
        given = lie(true, 0);
        given.parent.clock++;
        refuse(given, IPageExecutor.WrongParent.selector);
    }

    function test_another_root_before_convicts_nobody() public {
        // Of another batch.
        PageCase memory given = lie(false, 1);
        given.before.page = bytes.concat(keccak256("another state"), new bytes(960));
        refuse(given, IPageExecutor.WrongOpening.selector);
        // Of another page: this one.
        given = lie(false, 1);
        given.before.page = given.page;
        given.before.inclusion = given.inclusion;
        refuse(given, IPageExecutor.WrongOpening.selector);
        given = lie(true, 1);
        given.before.blob.elements[40] ^= 0x01;
        refuse(given, IPageExecutor.WrongOpening.selector);
        given = lie(true, 1);
        Step memory step = load(1, 5);
        bytes memory page = bytes.concat(keccak256("a lie"), slice(step.page, 32, 960));
        bytes memory before = bytes.concat(step.preRoot, new bytes(960));
        CaseBuilder.openRoot(given.before.blob, CaseBuilder.polynomialOf(1, page, before), 1);
        vm.assertEq(given.before.blob.elements, slice(given.blob.elements, 0, 64));
        refuse(given, IPageExecutor.WrongOpening.selector);
        // Of the page before, which claims a root that the witness does not lead to.
        step.preRoot = keccak256("another state");
        refuse(posted(step, Way(false, false, 1), 0), IPageExecutor.WrongRoot.selector);
        refuse(posted(step, Way(true, false, 1), 0), IPageExecutor.WrongRoot.selector);
        refuse(posted(step, Way(true, false, 0), 0), IPageExecutor.WrongRoot.selector);
    }

    function test_other_bytes_of_the_page_convict_nobody() public {
        PageCase memory given = lie(false, 0);
        given.page[991] ^= 0x01;
        refuse(given, IPageExecutor.WrongOpening.selector);
        given = lie(false, 0);
        given.inclusion[20] ^= 0x01;
        refuse(given, IPageExecutor.WrongOpening.selector);
        given.inclusion = "";
        refuse(given, IEvidence.NotAProof.selector);
        given = lie(true, 0);
        given.blob.elements[1000] ^= 0x01;
        refuse(given, IPageExecutor.WrongOpening.selector);
        // Commitment to the quotient, its value, the blob's proof and the quotient's.
        uint8[4] memory places = [uint8(40), 60, 100, 150];
        for (uint256 i = 0; i < 4; i++) {
            given = lie(true, 0);
            given.blob.proofs[places[i]] ^= 0x01;
            refuse(given, IPageExecutor.WrongOpening.selector);
        }
        given = lie(true, 0);
        given.blob.hashes[0] ^= bytes32(uint256(1));
        refuse(given, IPageExecutor.WrongOpening.selector);
    }

    /// @dev The bytes that are there are right, and so is their path: the page ends with zeros, as calldata does.
    function test_a_page_of_another_length_convicts_nobody() public {
        PageCase memory given = lie(false, 1);
        (bytes memory page, bytes memory before) = (given.page, given.before.page);
        vm.assertTrue(page[991] == 0 && before[991] == 0);
        bytes[3] memory pages = [bytes(""), slice(page, 0, 991), bytes.concat(page, hex"00")];
        bytes[3] memory befores = [bytes(""), slice(before, 0, 991), bytes.concat(before, hex"00")];
        for (uint256 i = 0; i < 3; i++) {
            given.page = pages[i];
            refuse(given, IPageExecutor.WrongOpening.selector);
            given.page = page;
            given.before.page = befores[i];
            refuse(given, IPageExecutor.WrongOpening.selector);
            given.before.page = before;
        }
        // Not even where the batch's tree is of such bytes.
        for (uint256 i = 0; i < 3; i++) {
            CaseBuilder.putInCalldata(given, pages[i], before);
            post(given);
            refuse(given, IPageExecutor.WrongOpening.selector);
            CaseBuilder.putInCalldata(given, page, befores[i]);
            post(given);
            refuse(given, IPageExecutor.WrongOpening.selector);
        }
        CaseBuilder.putInCalldata(given, page, before);
        post(given);
        vm.assertEq(bytes32(errorOf(given)), 0);
        checkConvicted(given, right, 1);
    }

    /// @dev Its offset or its length points past the end, or before the beginning.
    function test_a_page_that_is_not_in_the_call_convicts_nobody() public {
        bytes memory call_ = abi.encodeCall(IPageExecutor.convictPage, (lie(false, 0)));
        // Selector, offset of the case, rollup, two headers, index; then the page's offset, from the rollup on.
        uint256 offsetAt = 4 + 32 * 25;
        uint256 lengthAt = 4 + 32 + uint256(wordAt(call_, offsetAt));
        vm.assertEq(uint256(wordAt(call_, lengthAt)), 992);
        uint256[5] memory numbers = [call_.length, 1 << 64, 1 << 255, type(uint256).max, type(uint256).max - 991];
        for (uint256 i = 0; i < 5; i++) {
            refuseBytes(call_, offsetAt, numbers[i]);
            refuseBytes(call_, lengthAt, numbers[i]);
        }
        (bool isConvicted,) = address(executor).call(call_);
        vm.assertTrue(isConvicted);
    }

    /// @dev With another number at this place. An offset below zero points where every byte is zero: at no page.
    function refuseBytes(bytes memory call_, uint256 place, uint256 number) private {
        bytes32 old = wordAt(call_, place);
        putWord(call_, place, bytes32(number));
        (bool isDone, bytes memory reason) = address(executor).call(call_);
        vm.assertFalse(isDone);
        vm.assertTrue(reason.length == 0 || bytes4(reason) == IPageExecutor.WrongOpening.selector, "another error");
        putWord(call_, place, old);
    }

    function wordAt(bytes memory whole, uint256 place) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(whole, 32), place))
        }
    }

    function putWord(bytes memory whole, uint256 place, bytes32 word) private pure {
        assembly ("memory-safe") {
            mstore(add(add(whole, 32), place), word)
        }
    }

    function test_a_page_beside_a_blob_s_opening_is_not_looked_at() public {
        Step memory step = load(1, 5);
        bytes[2] memory pages = [new bytes(992), bytes("no page")];
        for (uint256 i = 0; i < 2; i++) {
            PageCase memory given = posted(step, Way(true, true, 1), step.root);
            (given.page, given.before.page) = (pages[i], pages[i]);
            refuse(given, IPageExecutor.PageIsHonest.selector);
            given = lie(true, 1);
            (given.page, given.before.page) = (pages[i], pages[i]);
            vm.assertEq(bytes32(errorOf(given)), 0);
            checkConvicted(given, right, i + 1);
        }
    }

    /// @dev The blob holds something there, but the batch has no such page.
    function test_a_place_behind_the_last_page_convicts_nobody() public {
        PageCase memory given = lie(true, 1);
        given.header.pages = 1;
        post(given);
        refuse(given, IPageExecutor.WrongOpening.selector);
        given = lie(false, 1);
        given.header.pages = 1;
        post(given);
        refuse(given, IPageExecutor.WrongOpening.selector);
    }

    function test_another_key_convicts_nobody() public {
        for (uint16 index = 0; index < 2; index++) {
            PageCase memory given = posted(load(1, 5), Way(index == 1, true, index), keccak256("a lie"));
            given.pageKey = keccak256("another key");
            refuse(given, IPageExecutor.WrongOpening.selector);
            given.pageKey = CaseBuilder.PAGE_KEY;
            given.path[19] = 0;
            refuse(given, IPageExecutor.WrongOpening.selector);
            given.path[19] = keccak256(abi.encode("sibling", 19));
            ROLLUP.register(SLOT / 1024, 0);
            refuse(given, IPageExecutor.WrongOpening.selector);
        }
    }

    function test_an_item_that_is_left_out_convicts_nobody() public {
        uint8[3] memory steps = [0, 2, 8];
        for (uint256 i = 0; i < 3; i++) {
            Step memory step = load(2, steps[i]);
            PageCase memory given = posted(step, Way(false, false, 0), step.root);
            given.item = "";
            refuse(given, IPageExecutor.WrongItem.selector);
        }
    }

    /// @dev Nobody can bring an item that is not there: the page is INVALID without one.
    function test_a_forced_page_where_no_item_waits_is_convicted() public {
        uint8[2] memory steps = [0, 8];
        for (uint256 i = 0; i < 2; i++) {
            Step memory step = load(2, steps[i]);
            PageCase memory given = posted(step, Way(false, false, 0), step.root);
            ROLLUP.enqueue(step.cursor, 0);
            refuse(given, IPageExecutor.WrongItem.selector);
            given.item = "";
            vm.assertEq(bytes32(errorOf(given)), 0);
            checkConvicted(given, 0, i + 1);
        }
    }

    function test_an_altered_item_convicts_nobody() public {
        Step memory step = load(2, 0);
        PageCase memory given = posted(step, Way(false, false, 0), step.root);
        given.item[500] ^= 0x01;
        refuse(given, IPageExecutor.WrongItem.selector);
        given.item = bytes.concat(step.item, hex"00");
        refuse(given, IPageExecutor.WrongItem.selector);
        given.item = slice(step.item, 0, 959);
        refuse(given, IPageExecutor.WrongItem.selector);
    }

    function test_an_item_of_another_place_convicts_nobody() public {
        Step memory step = load(2, 0);
        PageCase memory given = posted(step, Way(false, false, 0), step.root);
        ROLLUP.enqueue(step.cursor, keccak256("another item"));
        ROLLUP.enqueue(step.cursor + 1, keccak256(bytes.concat(hex"09", step.item)));
        refuse(given, IPageExecutor.WrongItem.selector);
        // The page that takes the item at its own place is convicted: it is not that one.
        Step memory other = load(2, 2);
        given.item = other.item;
        ROLLUP.enqueue(step.cursor, keccak256(bytes.concat(hex"09", other.item)));
        vm.assertEq(bytes32(errorOf(given)), 0);
        checkConvicted(given, 0, 1);
    }

    /// @dev A normal page asks for none; one that is given must be the queue's all the same.
    function test_a_normal_page_needs_no_item() public {
        Step memory step = load(1, 5);
        PageCase memory given = posted(step, Way(false, false, 0), step.root);
        ROLLUP.enqueue(step.cursor, keccak256("an item waits"));
        refuse(given, IPageExecutor.PageIsHonest.selector);
        given.item = load(2, 0).item;
        refuse(given, IPageExecutor.WrongItem.selector);
        ROLLUP.enqueue(step.cursor, keccak256(bytes.concat(hex"09", given.item)));
        refuse(given, IPageExecutor.PageIsHonest.selector);
    }

    function lie(bool isBlobs, uint16 index) private returns (PageCase memory) {
        return posted(load(1, 5), Way(isBlobs, false, index), keccak256("a lie"));
    }

    function refuse(PageCase memory given, bytes4 expected) private {
        uint256 before = ROLLUP.convictions();
        vm.assertEq(bytes32(errorOf(given)), bytes32(expected));
        vm.assertEq(ROLLUP.convictions(), before);
    }
}
