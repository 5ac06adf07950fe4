// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPageExecutor} from "../interfaces/IPageExecutor.sol";
import {Memory} from "./Memory.sol";
import {Run} from "./Run.sol";
import {Witnesses} from "./Witnesses.sol";

/// @title The root before a page and the root after it, in one walk
/// @dev Source: docs/spec.md §5.1, §9.4. Depth first over the rows; nodes wait on a stack for their right sibling. The
/// two walks share the siblings, and are one while nothing below has changed. Work is bounded by 35 heights a row,
/// whatever the flags say; reading past the siblings reads zeros, and is found at the end.
library Tree {
    uint256 private constant HEIGHT = 35;
    /// @dev Height, node before, node after.
    uint256 private constant WAITING_BYTES = 96;

    /// @dev Of the rows as they came, and as they are now.
    function roots(Run memory run) internal pure returns (bytes32 before, bytes32 after_) {
        unchecked {
            uint256 empty = Memory.allocate(HEIGHT * 32);
            _hashEmpty(empty);
            // One waits at each height at most, and one place below them, of no height.
            uint256 stack = Memory.allocate((HEIGHT + 2) * WAITING_BYTES);
            Memory.putWord(stack, type(uint256).max);
            uint256 top = stack;
            uint256 sibling = run.siblingsAt;
            for (uint256 ptr = run.places; Memory.word(ptr) != type(uint256).max; ptr += 32) {
                (top, sibling) = _climb(ptr, empty, top, sibling);
            }
            bool isWhole = sibling == run.siblingsEnd && top == stack + WAITING_BYTES;
            require(isWhole, IPageExecutor.MalformedWitness());
            return (bytes32(Memory.word(top + 32)), bytes32(Memory.word(top + 64)));
        }
    }

    /// @dev Roots of empty subtrees, by height.
    function _hashEmpty(uint256 empty) private pure {
        unchecked {
            uint256 node = 0;
            for (uint256 end = empty + HEIGHT * 32; empty < end; empty += 32) {
                Memory.putWord(empty, node);
                node = uint256(keccak256(abi.encodePacked(uint8(1), node, node)));
            }
        }
    }

    /// @dev Lets the row of one place climb to where it meets the next, and leaves it waiting there.
    function _climb(uint256 ptr, uint256 empty, uint256 top, uint256 sibling) private pure returns (uint256, uint256) {
        unchecked {
            uint256 place = Memory.word(ptr);
            uint256 row = place >> Witnesses.ROW_AT & Witnesses.POINTER;
            uint256 before = Memory.word(row - 64);
            uint256 after_ = uint256(bytes32(Witnesses.leaf(row)));
            uint256 next = Memory.word(ptr + 32);
            uint256 height = HEIGHT;
            if (next != type(uint256).max) height = _meets((place ^ next) & Witnesses.INDEX);
            uint256 flags = place >> Witnesses.FLAGS_AT & Witnesses.INDEX;
            require(flags >> height == 0, IPageExecutor.MalformedWitness());
            bool isMalformed;
            (before, after_, top, sibling, isMalformed) =
                _walk(place & Witnesses.INDEX, flags, height, before, after_, empty, top, sibling);
            require(!isMalformed, IPageExecutor.MalformedWitness());
            top += WAITING_BYTES;
            Memory.putWord(top, height);
            Memory.putWord(top + 32, before);
            Memory.putWord(top + 64, after_);
            return (top, sibling);
        }
    }

    /// @dev The hot loop: two hashes a height at most. A pair is hashed at 0x1f: the tag 0x01, left at 0x20, right at
    /// 0x40, where Solidity keeps its pointer to free memory; it is put back at the end. A node whose bit of the index
    /// is 0 is left. Siblings that are given come in runs, up to the height of the node that waits.
    function _walk(
        uint256 index,
        uint256 flags,
        uint256 height,
        uint256 before,
        uint256 after_,
        uint256 empty,
        uint256 top,
        uint256 sibling
    ) private pure returns (uint256, uint256, uint256, uint256, bool isMalformed) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(0, 1)
            // Its lowest bit, then at 32, is the distance of a right node from a left one.
            index := shl(5, index)
            for { let t := 0 } lt(t, height) { t := add(t, 1) } {
                let limit := mload(top)
                if gt(limit, height) { limit := height }
                for {} lt(t, limit) {} {
                    // How many of the lowest flags are 1, up to the limit.
                    let run := not(flags)
                    run := sub(255, clz(and(run, sub(0, run))))
                    if gt(run, sub(limit, t)) { run := sub(limit, t) }
                    flags := shr(run, flags)
                    t := add(t, run)
                    run := add(sibling, shl(5, run))
                    switch eq(before, after_)
                    case 1 {
                        for {} lt(sibling, run) { sibling := add(sibling, 32) } {
                            let side := add(0x20, and(index, 0x20))
                            mstore(xor(side, 0x60), calldataload(sibling))
                            mstore(side, before)
                            before := keccak256(0x1f, 65)
                            index := shr(1, index)
                        }
                        after_ := before
                    }
                    default {
                        // The first alone if they are odd, then two at a time.
                        if and(sub(run, sibling), 0x20) {
                            let side := add(0x20, and(index, 0x20))
                            mstore(xor(side, 0x60), calldataload(sibling))
                            mstore(side, before)
                            before := keccak256(0x1f, 65)
                            mstore(side, after_)
                            after_ := keccak256(0x1f, 65)
                            index := shr(1, index)
                            sibling := add(sibling, 32)
                        }
                        for {} lt(sibling, run) { sibling := add(sibling, 64) } {
                            let side := add(0x20, and(index, 0x20))
                            mstore(xor(side, 0x60), calldataload(sibling))
                            mstore(side, before)
                            before := keccak256(0x1f, 65)
                            mstore(side, after_)
                            after_ := keccak256(0x1f, 65)
                            side := add(0x20, and(shr(1, index), 0x20))
                            mstore(xor(side, 0x60), calldataload(add(sibling, 32)))
                            mstore(side, before)
                            before := keccak256(0x1f, 65)
                            mstore(side, after_)
                            after_ := keccak256(0x1f, 65)
                            index := shr(2, index)
                        }
                    }
                    if lt(t, limit) {
                        // An empty one.
                        let side := add(0x20, and(index, 0x20))
                        mstore(xor(side, 0x60), mload(add(empty, shl(5, t))))
                        mstore(side, before)
                        before := keccak256(0x1f, 65)
                        mstore(side, after_)
                        after_ := keccak256(0x1f, 65)
                        index := shr(1, index)
                        flags := shr(1, flags)
                        t := add(t, 1)
                    }
                }
                // Below the meeting: a node waits here, and it is the left one.
                if eq(t, height) { break }
                isMalformed := or(isMalformed, and(flags, 1))
                mstore(0x20, mload(add(top, 32)))
                mstore(0x40, before)
                before := keccak256(0x1f, 65)
                mstore(0x20, mload(add(top, 64)))
                mstore(0x40, after_)
                after_ := keccak256(0x1f, 65)
                top := sub(top, WAITING_BYTES)
                flags := shr(1, flags)
                index := shr(1, index)
            }
            mstore(0x40, free)
        }
        return (before, after_, top, sibling, isMalformed);
    }

    /// @dev The highest bit that is set.
    function _meets(uint256 difference) private pure returns (uint256 height) {
        assembly ("memory-safe") {
            height := sub(255, clz(difference))
        }
    }
}
