// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPageExecutor, PageCase} from "../interfaces/IPageExecutor.sol";
import {ClaimedRoots} from "../libraries/ClaimedRoots.sol";
import {Headers} from "../libraries/Headers.sol";
import {Items} from "../libraries/Items.sol";
import {Header} from "../types/Header.sol";
import {Memory} from "./Memory.sol";
import {Openings} from "./Openings.sol";
import {Pages} from "./Pages.sol";
import {Run} from "./Run.sol";
import {Witnesses} from "./Witnesses.sol";

/// @title A page of a batch on L1: opened, unmasked, and run from where it starts
/// @dev Source: docs/spec.md §9, §11, §12. Everything that does not belong to this page of this batch reverts. What the
/// case's rollup says is believed: the conviction goes to the same contract.
library Cases {
    /// @dev Eleven words, as `abi.encode` writes them.
    uint256 private constant HEADER_BYTES = 352;

    /// @dev What the page is, and what it leads to.
    function run(PageCase calldata given)
        internal
        view
        returns (Run memory tried, IPageExecutor.Outcome memory outcome, bytes32 contentHash)
    {
        Header calldata header = given.header;
        contentHash = _contentHash(header);
        (bytes32 posted,,) = given.rollup.batches(header.number);
        require(contentHash == posted, IPageExecutor.WrongHeader());
        bytes32 preRoot = _rootBefore(given, header);
        Pages.begin(tried, address(given.rollup), block.chainid, _open(given, header), given.witness);
        _checkItem(given, tried);
        outcome = Pages.finish(tried, preRoot, given.item);
    }

    /// @dev Whether the page leads to the root that it claims. An INVALID page leads nowhere, whatever it claims.
    function isHonest(Run memory tried, IPageExecutor.Outcome memory outcome) internal pure returns (bool) {
        return outcome.invalid == IPageExecutor.Invalid.None && outcome.root == bytes32(Memory.word(tried.page));
    }

    /// @dev Digest of the envelope whose first event has this sequence number; zero if none begins there. Skipped
    /// envelopes have no sequence number.
    function digestAt(Run memory tried, uint256 sequence) internal pure returns (bytes32) {
        unchecked {
            uint256 first = tried.sequence;
            for (uint256 ptr = tried.envelopes; ptr < tried.envelopesEnd; ptr += 32) {
                uint256 envelope = Memory.word(ptr);
                uint256 start = envelope & Witnesses.POINTER;
                if (first == sequence) {
                    return bytes32(Memory.hash(start, (envelope >> 32 & Witnesses.POINTER) - start));
                }
                first += ((envelope >> 96 & Witnesses.POINTER) - (envelope >> 64 & Witnesses.POINTER)) >> 5;
            }
            return 0;
        }
    }

    /// @dev What the page before claims, or, for the first, what the parent's header says.
    function _rootBefore(PageCase calldata given, Header calldata header) private view returns (bytes32) {
        unchecked {
            if (given.index != 0) return ClaimedRoots.open(given.before, header, given.index - 1);
            Header calldata parent = given.parent;
            require(_contentHash(parent) == header.parent, IPageExecutor.WrongParent());
            return parent.postRoot;
        }
    }

    /// @dev Of the words as they came: one that is too wide for its field gives a hash that no batch has.
    function _contentHash(Header calldata header) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let ptr := mload(0x40)
            calldatacopy(ptr, header, HEADER_BYTES)
            hash := keccak256(ptr, HEADER_BYTES)
        }
    }

    /// @dev The page as it is read.
    function _open(PageCase calldata given, Header calldata header) private view returns (bytes32[31] memory page) {
        uint16 index = given.index;
        // A blob has room for pages that the batch does not have.
        require(index < header.pages, IPageExecutor.WrongOpening());
        if (header.mode & Headers.MODE_BLOBS != 0) {
            page = Openings.pageInBlob(given.blob, index, header.dataReference);
        } else {
            page = Openings.pageInCalldata(given.page, index, header.pages, given.inclusion, header.dataReference);
        }
        if (header.mode & Headers.MODE_MASKED == 0) return page;
        (bytes32 periodRoot,,) = given.rollup.period(Headers.periodOf(header.slot));
        Openings.unmask(page, periodRoot, header.slot, index, given.pageKey, given.path);
    }

    /// @dev The item is the one at the cursor from which the page starts. It may be left out where there is none, and
    /// where the page asks for none: an item that was left out never convicts.
    function _checkItem(PageCase calldata given, Run memory tried) private view {
        bytes calldata item = given.item;
        if (item.length == 0 && !Pages.isForced(tried)) return;
        // forge-lint: disable-next-line(unsafe-typecast): a cursor has 64 bits.
        (bytes32 hash,) = given.rollup.items(uint64(tried.cursor));
        require(hash == (item.length == 0 ? bytes32(0) : Items.hashOf(item)), IPageExecutor.WrongItem());
    }
}
