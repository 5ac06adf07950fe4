// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobOpening, Openings} from "../../src/executor/Openings.sol";
import {IPageExecutor} from "../../src/interfaces/IPageExecutor.sol";
import {Dirt} from "../utils/Dirt.sol";
import {IVm} from "./ExecutorFixture.sol";
import {Kzg} from "./Kzg.sol";

/// @title A page in a blob, opened by one quotient: docs/spec.md §12.6
/// @dev The blob is a polynomial of 64 coefficients, two of whose pages are chosen; elements have a high byte. Where
/// elements are others than the blob's, the prover answers the challenge that follows from them.
contract PageOpeningsTest {
    IVm private constant vm = IVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant PLACE = 3;
    uint256 private constant OTHER_PLACE = 77;
    /// @dev Where the four parts of a page's proofs begin.
    uint256 private constant VALUE_AT = 48;
    uint256 private constant PROOF_AT = 80;
    uint256 private constant QUOTIENT_PROOF_AT = 128;

    uint256[] private blob;
    bytes private commitment;
    bytes private elements;
    bytes private proofs;
    bytes32[] private hashes;

    function setUp() public {
        hashes.push();
        begin(polynomial("page"));
    }

    function begin(uint256[] memory polynomial_) private {
        blob = polynomial_;
        commitment = Kzg.commit(blob);
        hashes[0] = Kzg.versionedHash(commitment);
        elements = Kzg.elementsAt(blob, PLACE);
        proofs = Kzg.proofsOf(blob, PLACE, elements);
    }

    function test_a_page_is_the_low_31_bytes_of_its_elements() public view {
        uint8[5] memory places = [0, uint8(PLACE), uint8(OTHER_PLACE), 126, 127];
        uint256 found = 0;
        for (uint256 i = 0; i < 5; i++) {
            BlobOpening memory given = opening();
            given.elements = Kzg.elementsAt(blob, places[i]);
            given.proofs = Kzg.proofsOf(blob, places[i], given.elements);
            bytes memory page = this.pageInBlob(given, places[i]);
            for (uint256 j = 0; j < 32; j++) {
                if (given.elements[32 * j] != 0) found++;
                vm.assertEq(slice(page, 31 * j, 31), slice(given.elements, 32 * j + 1, 31));
            }
        }
        // The high bytes of the chosen ones at least.
        vm.assertTrue(found >= 64);
    }

    /// @dev The same number in the field, and other bytes: all but the element's size holds.
    function test_an_element_above_the_modulus_opens_nothing() public {
        for (uint256 j = 0; j < 32; j++) {
            uint256 element = word(elements, 32 * j);
            vm.assertTrue(element < Kzg.MODULUS);
            refuseElement(j, element + Kzg.MODULUS);
            if (element < type(uint256).max - 2 * Kzg.MODULUS) refuseElement(j, element + 2 * Kzg.MODULUS);
        }
    }

    /// @dev It is zero in the field, and a zero element is what the end of most pages is made of.
    function test_an_element_that_is_the_modulus_opens_nothing() public {
        uint256[32][2] memory values;
        values[0][1] = 7;
        begin(Kzg.interpolate([PLACE, OTHER_PLACE], values));
        vm.assertEq(word(elements, 0), 0);
        this.pageInBlob(opening(), PLACE);
        refuseElement(0, Kzg.MODULUS);
        refuseElement(31, Kzg.MODULUS);
    }

    function test_another_element_opens_nothing() public {
        for (uint256 j = 0; j < 32; j++) {
            uint256 element = word(elements, 32 * j);
            refuseElement(j, element + 1);
            refuseElement(j, element - 1);
            refuseElement(j, element ^ 1 << 248);
        }
        BlobOpening memory given = opening();
        given.elements[1023] ^= 0x01;
        refuse(given, PLACE);
    }

    function test_elements_that_changed_places_open_nothing() public {
        for (uint256 j = 1; j < 32; j++) {
            BlobOpening memory given = opening();
            put(given.elements, 0, word(elements, 32 * j));
            put(given.elements, 32 * j, word(elements, 0));
            refuse(given, PLACE);
            given.proofs = Kzg.proofsOf(blob, PLACE, given.elements);
            refuse(given, PLACE);
        }
    }

    function test_a_page_of_another_place_opens_nothing() public {
        refuse(opening(), PLACE + 1);
        refuse(opening(), OTHER_PLACE);
        // By the challenge of the place that is asked for, and by the right one.
        BlobOpening memory given = opening();
        given.proofs = Kzg.proofsOf(blob, OTHER_PLACE, elements);
        refuse(given, OTHER_PLACE);
        refuse(given, PLACE);
    }

    /// @dev The quotient of another blob: the value that the equation asks for, then the value that it has.
    function test_another_quotient_opens_nothing() public {
        uint256[] memory right = Kzg.quotientOf(blob);
        uint256[] memory wrong = Kzg.quotientOf(polynomial("another page"));
        bytes memory quotient = Kzg.commit(wrong);
        uint256 z = Kzg.challenge(commitment, PLACE, elements, quotient);
        (, bytes memory proof) = Kzg.openAt(blob, z);
        (uint256 asked,) = Kzg.openAt(right, z);
        (uint256 has, bytes memory quotientProof) = Kzg.openAt(wrong, z);
        BlobOpening memory given = opening();
        given.proofs = abi.encodePacked(quotient, asked, proof, quotientProof);
        refuse(given, PLACE);
        given.proofs = abi.encodePacked(quotient, has, proof, quotientProof);
        refuse(given, PLACE);
        // Under the right one's commitment, at the point of either.
        given.proofs = abi.encodePacked(Kzg.commit(right), asked, proof, quotientProof);
        refuse(given, PLACE);
    }

    function test_another_value_of_the_quotient_opens_nothing() public {
        uint256 value = word(proofs, VALUE_AT);
        uint256[4] memory values = [value + 1, value - 1, value + Kzg.MODULUS, 0];
        for (uint256 i = 0; i < 4; i++) {
            BlobOpening memory given = opening();
            put(given.proofs, VALUE_AT, values[i]);
            refuse(given, PLACE);
        }
    }

    /// @dev All that is shown is true, but at a point that the prover chose.
    function test_another_point_opens_nothing() public {
        uint256[] memory quotient = Kzg.quotientOf(blob);
        uint256 z = Kzg.challenge(commitment, PLACE, elements, Kzg.commit(quotient)) + 1;
        (, bytes memory proof) = Kzg.openAt(blob, z);
        (uint256 value, bytes memory quotientProof) = Kzg.openAt(quotient, z);
        BlobOpening memory given = opening();
        given.proofs = abi.encodePacked(Kzg.commit(quotient), value, proof, quotientProof);
        refuse(given, PLACE);
    }

    function test_proofs_that_changed_places_open_nothing() public {
        BlobOpening memory given = opening();
        given.proofs =
            bytes.concat(slice(proofs, 0, PROOF_AT), slice(proofs, QUOTIENT_PROOF_AT, 48), slice(proofs, PROOF_AT, 48));
        refuse(given, PLACE);
    }

    function test_every_byte_of_the_proofs_counts() public {
        for (uint256 i = 0; i < 176; i++) {
            BlobOpening memory given = opening();
            given.proofs[i] ^= 0x01;
            refuse(given, PLACE);
        }
    }

    function test_lengths_are_exact() public {
        uint16[6] memory lengths = [0, 96, 175, 177, 208, 1536];
        for (uint256 i = 0; i < 6; i++) {
            BlobOpening memory given = opening();
            given.proofs = slice(proofs, 0, lengths[i]);
            refuse(given, PLACE);
        }
        lengths = [0, 64, 992, 1023, 1025, 1056];
        for (uint256 i = 0; i < 6; i++) {
            BlobOpening memory given = opening();
            given.elements = slice(elements, 0, lengths[i]);
            refuse(given, PLACE);
        }
    }

    /// @dev Two elements with two proofs are no page, and a page's opening shows no root alone.
    function test_roots_and_pages_are_opened_differently() public {
        BlobOpening memory given = opening();
        (uint256 first, bytes memory firstProof) = Kzg.open(blob, PLACE, 0);
        (uint256 second, bytes memory secondProof) = Kzg.open(blob, PLACE, 1);
        given.elements = abi.encode(first, second);
        given.proofs = bytes.concat(firstProof, secondProof);
        vm.assertEq(this.rootInBlob(given, PLACE), bytes32(first << 8 | second >> 240 & 0xFF));
        refuse(given, PLACE);
        vm.expectRevert(IPageExecutor.WrongOpening.selector);
        this.rootInBlob(opening(), PLACE);
    }

    /// @dev At any gas it is this page or none.
    function testFuzz_too_little_gas_opens_nothing(uint256 limit) public view {
        limit %= 300_000;
        bytes memory page = this.pageInBlob(opening(), PLACE);
        try this.pageInBlob{gas: limit}(opening(), PLACE) returns (bytes memory opened) {
            vm.assertEq(opened, page);
        } catch {
            vm.assertTrue(limit < 250_000);
        }
    }

    function test_without_sha256_nothing_opens() public {
        vm.mockCallRevert(address(0x02), "", "");
        vm.expectRevert(IPageExecutor.Starved.selector);
        this.pageInBlob(opening(), PLACE);
        vm.clearMockedCalls();
        // None there, and one that answers something else.
        vm.mockCall(address(0x02), "", "");
        refuse(opening(), PLACE);
        vm.clearMockedCalls();
        vm.mockCall(address(0x02), "", abi.encode(keccak256("another hash")));
        refuse(opening(), PLACE);
        vm.clearMockedCalls();
    }

    /// @dev The list is the batch's, and the word behind it is the blob's: who convicts chooses that one.
    function test_a_hash_behind_the_batch_s_opens_nothing() public {
        BlobOpening memory given = opening();
        hashes = [bytes32(uint256(1) << 248 | 7), hashes[0]];
        given.hashes = hashes;
        this.pageInBlob(given, 128 + PLACE);
        bytes memory call_ = abi.encodeCall(this.pageInBlob, (given, 128 + PLACE));
        hashes.pop();
        // Selector, offset of the opening, index, four offsets; then how many hashes there are.
        uint256 place = 4 + 6 * 32;
        vm.assertEq(word(call_, place), 2);
        put(call_, place, 1);
        (bool isDone, bytes memory reason) = address(this).call(call_);
        vm.assertFalse(isDone);
        vm.assertEq(bytes32(bytes4(reason)), bytes32(IPageExecutor.WrongOpening.selector));
    }

    /// @dev EIP-4844: 4,096 and the modulus, in 64 bytes. An answer too short leaves in memory what was there.
    function test_another_answer_of_the_precompile_opens_nothing() public {
        bytes[5] memory answers = [
            bytes(""),
            abi.encode(4096),
            abi.encode(4096, Kzg.MODULUS - 1),
            abi.encode(Kzg.MODULUS, 4096),
            abi.encode(4096, Kzg.MODULUS, 0)
        ];
        for (uint256 i = 0; i < 5; i++) {
            vm.mockCall(address(0x0a), "", answers[i]);
            refuse(opening(), PLACE);
            vm.clearMockedCalls();
        }
        this.pageInBlob(opening(), PLACE);
    }

    // Laid open.

    function pageInBlob(BlobOpening calldata given, uint256 index) external view returns (bytes memory) {
        bytes32 reference_ = keccak256(abi.encodePacked(hashes));
        Dirt.spread();
        uint256 modulus = Kzg.MODULUS;
        assembly ("memory-safe") {
            // As if an opening before had left it in scratch memory.
            mstore(32, modulus)
        }
        return abi.encode(Openings.pageInBlob(given, index, reference_));
    }

    function rootInBlob(BlobOpening calldata given, uint256 index) external view returns (bytes32) {
        Dirt.spread();
        return Openings.rootInBlob(given, index, keccak256(abi.encodePacked(hashes)));
    }

    // Made up.

    function polynomial(string memory name) private view returns (uint256[] memory) {
        uint256[32][2] memory values;
        for (uint256 j = 0; j < 32; j++) {
            // A high byte from 1 to 64; some are below what is left of a word above twice the modulus.
            values[0][j] = (uint256(keccak256(abi.encode(name, j))) >> 2 | 1 << 248) % Kzg.MODULUS;
            values[1][j] = (uint256(keccak256(abi.encode(name, 32 + j))) >> 2 | 1 << 248) % Kzg.MODULUS;
        }
        return Kzg.interpolate([PLACE, OTHER_PLACE], values);
    }

    function opening() private view returns (BlobOpening memory given) {
        given.hashes = hashes;
        given.commitment = commitment;
        given.elements = elements;
        given.proofs = proofs;
    }

    function refuseElement(uint256 j, uint256 value) private {
        BlobOpening memory given = opening();
        put(given.elements, 32 * j, value);
        given.proofs = Kzg.proofsOf(blob, PLACE, given.elements);
        refuse(given, PLACE);
    }

    function refuse(BlobOpening memory given, uint256 index) private {
        vm.expectRevert(IPageExecutor.WrongOpening.selector);
        this.pageInBlob(given, index);
    }

    function word(bytes memory whole, uint256 from) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(add(whole, 32), from))
        }
    }

    function put(bytes memory whole, uint256 place, uint256 value) private pure {
        assembly ("memory-safe") {
            mstore(add(add(whole, 32), place), value)
        }
    }

    /// @dev Followed by zeros where it ends.
    function slice(bytes memory whole, uint256 from, uint256 length) private pure returns (bytes memory part) {
        part = new bytes(length);
        for (uint256 i = 0; i < length && from + i < whole.length; i++) {
            part[i] = whole[from + i];
        }
    }
}
