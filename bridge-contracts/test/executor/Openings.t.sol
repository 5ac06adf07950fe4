// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobOpening, Openings} from "../../src/executor/Openings.sol";
import {IPageExecutor} from "../../src/interfaces/IPageExecutor.sol";
import {Dirt} from "../utils/Dirt.sol";
import {IVm} from "./ExecutorFixture.sol";

/// @title Pages opened from calldata and from blobs
/// @dev The blob is a line, a + b · x, so that its commitment and proofs need no more of the trusted setup than its
/// second point: commitment a·G + b·τG, and b·G proves every value. The elements differ all the same. The quotient of
/// such a page is zero, so that its proofs are right at whatever point; `PageOpenings.t.sol` has other ones.
contract OpeningsTest {
    IVm private constant vm = IVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    uint256 private constant A = 0x5fe6817bfbe47a20d47d0e731d70d3c49bcbeeed00b4c6606d1fba71c99ecd7b;
    uint256 private constant B = 0x3386298285ed08495ba71c82c153b26c7c7cd4cf3c4c083ac4a4240afe6733ba;
    bytes private constant COMMITMENT =
        hex"97bbffe7617aaa2a47a7a8c3087d3a2c21d9e5f15cc5b248756918e531e3805f358596833b1bc09eb6daca5f5e1e5404";
    bytes private constant PROOF =
        hex"af183e1ff1b471c7069db1c0c7e9fb8a8d952088c443e7f6d12fa9c8bf8e15362fe0127b2bfeff6c2467dff6676f834f";
    bytes private constant INFINITY =
        hex"c00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";
    bytes32 private constant BLOB = 0x01c8c5615380c76f9af477707da7008d124614054f93be569ea973765cb1bfbd;
    bytes32 private constant OTHER = bytes32(uint256(1) << 248 | 7);

    event log_named_uint(string name, uint256 value);

    // Blobs.

    function test_a_page_is_the_low_31_bytes_of_its_elements() public {
        uint16[5] memory places = [uint16(0), 1, 77, 126, 127];
        for (uint256 i = 0; i < 5; i++) {
            bytes memory page = this.pageInBlob(opening(places[i], 32, 0), places[i], referenceOf(0));
            emit log_named_uint("a page in a blob: gas", vm.lastCallGas().gasTotalUsed);
            vm.assertEq(page, joined(places[i], 32));
            bytes32 root = this.rootInBlob(opening(places[i], 2, 0), places[i], referenceOf(0));
            emit log_named_uint("its claimed root alone: gas", vm.lastCallGas().gasTotalUsed);
            vm.assertEq(root, abi.decode(page, (bytes32)));
        }
    }

    function test_a_page_of_a_later_blob_is_found_in_its_blob() public {
        bytes memory page = this.pageInBlob(opening(3, 32, 5), 5 * 128 + 3, referenceOf(5));
        vm.assertEq(page, joined(3, 32));
        refusePage(opening(3, 32, 5), 4 * 128 + 3, referenceOf(5));
        refusePage(opening(3, 32, 5), 6 * 128 + 3, referenceOf(5));
    }

    function test_elements_of_another_place_open_nothing() public {
        refusePage(opening(4, 32, 0), 3, referenceOf(0));
        refuseRoot(opening(4, 2, 0), 3, referenceOf(0));
        // Two elements of one page changed places.
        BlobOpening memory swapped = opening(3, 32, 0);
        swapped.elements = bytes.concat(element(3, 1), element(3, 0), tail(swapped.elements, 64));
        refusePage(swapped, 3, referenceOf(0));
        swapped = opening(3, 2, 0);
        swapped.elements = bytes.concat(element(3, 1), element(3, 0));
        refuseRoot(swapped, 3, referenceOf(0));
    }

    function test_one_wrong_element_or_proof_opens_nothing() public {
        for (uint256 i = 0; i < 32; i++) {
            BlobOpening memory wrong = opening(9, 32, 0);
            wrong.elements[32 * i + 31] ^= 0x01;
            refusePage(wrong, 9, referenceOf(0));
        }
        BlobOpening memory root = opening(9, 2, 0);
        root.elements[63] ^= 0x01;
        refuseRoot(root, 9, referenceOf(0));
        refusePage(opening(9, COMMITMENT, 0, PROOF, INFINITY), 9, referenceOf(0));
        refusePage(opening(9, INFINITY, 1, PROOF, INFINITY), 9, referenceOf(0));
        refusePage(opening(9, INFINITY, MODULUS, PROOF, INFINITY), 9, referenceOf(0));
        refusePage(opening(9, INFINITY, 0, COMMITMENT, INFINITY), 9, referenceOf(0));
        refusePage(opening(9, INFINITY, 0, PROOF, COMMITMENT), 9, referenceOf(0));
    }

    /// @dev The high byte is not the page's, but it is the element's: another one is another element.
    function test_an_element_has_one_high_byte() public {
        BlobOpening memory wrong = opening(9, 32, 0);
        wrong.elements[0] ^= 0x01;
        refusePage(wrong, 9, referenceOf(0));
        // The same number plus the modulus: the page's bytes would be others.
        for (uint256 j = 0; j < 32; j++) {
            wrong = opening(9, 32, 0);
            put(wrong.elements, j, uint256(bytes32(element(9, j))) + MODULUS);
            refusePage(wrong, 9, referenceOf(0));
        }
        wrong = opening(9, 2, 0);
        wrong.elements = bytes.concat(bytes32(uint256(bytes32(element(9, 0))) + MODULUS), element(9, 1));
        refuseRoot(wrong, 9, referenceOf(0));
    }

    function test_hashes_that_are_not_the_batch_s_open_nothing() public {
        refusePage(opening(9, 32, 0), 9, referenceOf(1));
        BlobOpening memory wrong = opening(9, 32, 0);
        wrong.hashes[0] = OTHER;
        refusePage(wrong, 9, keccak256(abi.encodePacked(wrong.hashes)));
        wrong.hashes = new bytes32[](0);
        refusePage(wrong, 9, keccak256(""));
    }

    function test_lengths_are_exact() public {
        BlobOpening memory wrong = opening(9, 32, 0);
        wrong.commitment = bytes.concat(wrong.commitment, hex"00");
        refusePage(wrong, 9, referenceOf(0));
        wrong = opening(9, 32, 0);
        wrong.elements = bytes.concat(wrong.elements, hex"00");
        refusePage(wrong, 9, referenceOf(0));
        wrong = opening(9, 32, 0);
        wrong.proofs = tail(wrong.proofs, 1);
        refusePage(wrong, 9, referenceOf(0));
        refusePage(opening(9, 2, 0), 9, referenceOf(0));
        refuseRoot(opening(9, 32, 0), 9, referenceOf(0));
        wrong = opening(9, 2, 0);
        wrong.elements = bytes.concat(wrong.elements, hex"00");
        refuseRoot(wrong, 9, referenceOf(0));
        wrong = opening(9, 2, 0);
        wrong.proofs = bytes.concat(wrong.proofs, hex"00");
        refuseRoot(wrong, 9, referenceOf(0));
    }

    /// @dev A call that answers nothing, as of an account without code, opens nothing.
    function test_without_the_precompile_nothing_opens() public {
        vm.mockCall(address(0x0a), "", "");
        refusePage(opening(9, 32, 0), 9, referenceOf(0));
        vm.clearMockedCalls();
    }

    function test_too_little_gas_opens_nothing() public view {
        BlobOpening memory given = opening(9, 2, 0);
        uint256 opened = 0;
        for (uint256 gas_ = 20_000; gas_ < 300_000; gas_ += 20_000) {
            try this.rootInBlob{gas: gas_}(given, 9, referenceOf(0)) returns (bytes32 root) {
                vm.assertEq(root, abi.decode(joined(9, 2), (bytes32)));
                opened++;
            } catch {}
        }
        vm.assertTrue(opened > 0 && opened < 14);
    }

    // Calldata.

    function test_every_page_of_a_batch_in_calldata_has_its_path() public view {
        string memory json = vm.readFile("../core/vectors/headers.json");
        uint256 found = 0;
        for (uint256 i = 0; vm.keyExistsJson(json, entry(".calldata_references", i)); i++) {
            string memory path = entry(".calldata_references", i);
            bytes[] memory pages = vm.parseJsonBytesArray(json, string.concat(path, ".pages"));
            bytes32 root = vm.parseJsonBytes32(json, string.concat(path, ".reference"));
            for (uint256 index = 0; index < pages.length; index++) {
                bytes memory inclusion = inclusionOf(pages, index);
                vm.assertTrue(isInCalldata(pages[index], index, pages.length, inclusion, root));
                vm.assertEq(this.pageInCalldata(pages[index], index, pages.length, inclusion, root), pages[index]);
                vm.assertFalse(isInCalldata(tail(pages[index], 1), index, pages.length, inclusion, root));
                vm.assertFalse(isInCalldata(bytes.concat(pages[index], hex"00"), index, pages.length, inclusion, root));
                vm.assertFalse(isInCalldata(pages[index], index + 1, pages.length, inclusion, root));
                vm.assertFalse(isInCalldata(pages[index], index, pages.length + 1, inclusion, root));
                vm.assertFalse(isInCalldata(pages[index], index, pages.length, inclusion, ~root));
                vm.assertFalse(isInCalldata(pages[index], index, pages.length, bytes.concat(inclusion, root), root));
                pages[index][991] ^= 0x01;
                vm.assertFalse(isInCalldata(pages[index], index, pages.length, inclusion, root));
                pages[index][991] ^= 0x01;
                found++;
            }
        }
        vm.assertTrue(found > 4);
    }

    // Masks.

    function test_a_masked_page_opens_by_its_own_key_alone() public view {
        string memory json = vm.readFile("../core/vectors/masks.json");
        bytes32 root = vm.parseJsonBytes32(json, ".period.root");
        uint256 found = 0;
        for (uint256 i = 0; vm.keyExistsJson(json, entry(".period_leaves", i)); i++) {
            string memory path = entry(".period_leaves", i);
            uint64 slot = uint64(vm.parseJsonUint(json, string.concat(path, ".slot")));
            uint16 index = uint16(vm.parseJsonUint(json, string.concat(path, ".page")));
            bytes32 key = keyOf(json, slot, index);
            bytes32[] memory siblings = vm.parseJsonBytes32Array(json, string.concat(path, ".path"));
            vm.assertTrue(isUnmasked(root, slot, index, key, siblings));
            vm.assertFalse(isUnmasked(root, slot + 1, index, key, siblings));
            vm.assertFalse(isUnmasked(root, slot, index + 1, key, siblings));
            vm.assertFalse(isUnmasked(root, slot, index, ~key, siblings));
            // A slot has 1,024 pages: behind them is no page of the slot before.
            if (index == 0 && slot > 3072) vm.assertFalse(isUnmasked(root, slot - 1, 1024, key, siblings));
            found++;
        }
        vm.assertEq(found, 10);
    }

    // Laid open.

    function pageInBlob(BlobOpening calldata given, uint256 index, bytes32 reference_)
        external
        view
        returns (bytes memory)
    {
        Dirt.spread();
        return abi.encode(Openings.pageInBlob(given, index, reference_));
    }

    function rootInBlob(BlobOpening calldata given, uint256 index, bytes32 reference_) external view returns (bytes32) {
        Dirt.spread();
        return Openings.rootInBlob(given, index, reference_);
    }

    function pageInCalldata(
        bytes calldata page,
        uint256 index,
        uint256 pages,
        bytes calldata inclusion,
        bytes32 reference_
    ) external pure returns (bytes memory) {
        Dirt.spread();
        return abi.encode(Openings.pageInCalldata(page, index, pages, inclusion, reference_));
    }

    function unmask(
        bytes32[31] memory page,
        bytes32 root,
        uint64 slot,
        uint16 index,
        bytes32 key,
        bytes32[20] calldata path
    ) external pure returns (bytes32[31] memory) {
        Openings.unmask(page, root, slot, index, key, path);
        return page;
    }

    // The line.

    /// @dev By the definition: position k of a blob is the root of unity whose exponent is k, reversed in 12 bits.
    function element(uint256 page, uint256 j) private view returns (bytes memory) {
        uint256 exponent = 0;
        uint256 k = 32 * page + j;
        for (uint256 bit = 0; bit < 12; bit++) {
            if (k >> bit & 1 == 1) exponent |= 1 << (11 - bit);
        }
        uint256 x = power(power(7, (MODULUS - 1) / 4096), exponent);
        return abi.encode(addmod(A, mulmod(B, x, MODULUS), MODULUS));
    }

    function power(uint256 base, uint256 exponent) private view returns (uint256) {
        (bool isDone, bytes memory result) = address(5).staticcall(abi.encode(32, 32, 32, base, exponent, MODULUS));
        require(isDone);
        return abi.decode(result, (uint256));
    }

    function opening(uint256 page, uint256 count, uint256 blob) private view returns (BlobOpening memory given) {
        given.hashes = hashes(blob);
        given.commitment = COMMITMENT;
        for (uint256 j = 0; j < count; j++) {
            given.elements = bytes.concat(given.elements, element(page, j));
        }
        // Two elements have two proofs, a page has a quotient.
        given.proofs = count == 2 ? bytes.concat(PROOF, PROOF) : bytes.concat(INFINITY, bytes32(0), PROOF, INFINITY);
    }

    /// @dev Of a page, with other proofs.
    function opening(uint256 page, bytes memory quotient, uint256 value, bytes memory proof, bytes memory quotientProof)
        private
        view
        returns (BlobOpening memory given)
    {
        given = opening(page, 32, 0);
        given.proofs = bytes.concat(quotient, bytes32(value), proof, quotientProof);
    }

    function put(bytes memory elements, uint256 j, uint256 value) private pure {
        assembly ("memory-safe") {
            mstore(add(add(elements, 32), shl(5, j)), value)
        }
    }

    function joined(uint256 page, uint256 count) private view returns (bytes memory bytes_) {
        for (uint256 j = 0; j < count; j++) {
            bytes_ = bytes.concat(bytes_, tail(element(page, j), 1));
        }
    }

    /// @dev The line is the blob of this number, and the last.
    function hashes(uint256 blob) private pure returns (bytes32[] memory list) {
        list = new bytes32[](blob + 1);
        for (uint256 i = 0; i < blob; i++) {
            list[i] = OTHER;
        }
        list[blob] = BLOB;
    }

    function referenceOf(uint256 blob) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(hashes(blob)));
    }

    function tail(bytes memory whole, uint256 from) private pure returns (bytes memory part) {
        part = new bytes(whole.length - from);
        assembly ("memory-safe") {
            mcopy(add(part, 32), add(add(whole, 32), from), mload(part))
        }
    }

    function refusePage(BlobOpening memory given, uint256 index, bytes32 reference_) private {
        vm.expectRevert(IPageExecutor.WrongOpening.selector);
        this.pageInBlob(given, index, reference_);
    }

    function refuseRoot(BlobOpening memory given, uint256 index, bytes32 reference_) private {
        vm.expectRevert(IPageExecutor.WrongOpening.selector);
        this.rootInBlob(given, index, reference_);
    }

    // Trees and keys.

    function isInCalldata(bytes memory page, uint256 index, uint256 size, bytes memory inclusion, bytes32 root)
        private
        view
        returns (bool)
    {
        try this.pageInCalldata(page, index, size, inclusion, root) returns (bytes memory) {
            return true;
        } catch {
            return false;
        }
    }

    /// @dev RFC 9162 §2.1.3.1, by its definition.
    function inclusionOf(bytes[] memory pages, uint256 index) private pure returns (bytes memory) {
        bytes memory path = pathOf(pages, index, 0, pages.length);
        return abi.encodePacked(uint64(index), uint64(pages.length), uint8(path.length / 32), path);
    }

    function pathOf(bytes[] memory pages, uint256 index, uint256 from, uint256 to) private pure returns (bytes memory) {
        if (to - from == 1) return "";
        uint256 split = splitOf(from, to);
        return index < split
            ? bytes.concat(pathOf(pages, index, from, split), treeOf(pages, split, to))
            : bytes.concat(pathOf(pages, index, split, to), treeOf(pages, from, split));
    }

    function treeOf(bytes[] memory pages, uint256 from, uint256 to) private pure returns (bytes32) {
        if (to - from == 1) return keccak256(bytes.concat(hex"00", pages[from]));
        uint256 split = splitOf(from, to);
        return keccak256(bytes.concat(hex"01", treeOf(pages, from, split), treeOf(pages, split, to)));
    }

    function splitOf(uint256 from, uint256 to) private pure returns (uint256) {
        uint256 size = 1;
        while (size * 2 < to - from) size *= 2;
        return from + size;
    }

    function isUnmasked(bytes32 root, uint64 slot, uint16 index, bytes32 key, bytes32[] memory siblings)
        private
        view
        returns (bool)
    {
        bytes32[31] memory page;
        page[0] = keccak256("root");
        bytes32[20] memory path = abi.decode(abi.encodePacked(siblings), (bytes32[20]));
        try this.unmask(page, root, slot, index, key, path) returns (bytes32[31] memory open) {
            return open[30] == keccak256(abi.encodePacked(uint8(6), key, page[0], uint8(29)));
        } catch (bytes memory reason) {
            vm.assertEq(bytes32(bytes4(reason)), bytes32(IPageExecutor.WrongOpening.selector));
            return false;
        }
    }

    function keyOf(string memory json, uint64 slot, uint16 index) private pure returns (bytes32) {
        string memory path = ".period";
        return keccak256(
            abi.encodePacked(
                uint8(7),
                vm.parseJsonBytes32(json, string.concat(path, ".k")),
                uint64(vm.parseJsonUint(json, string.concat(path, ".chain_id"))),
                vm.parseJsonAddress(json, string.concat(path, ".contract")),
                slot,
                uint32(index)
            )
        );
    }

    function entry(string memory list, uint256 index) private pure returns (string memory) {
        return string.concat(list, "[", vm.toString(index), "]");
    }
}
