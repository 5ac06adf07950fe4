// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICourt} from "./interfaces/ICourt.sol";
import {IRollup} from "./interfaces/IRollup.sol";
import {Accusations} from "./libraries/Accusations.sol";
import {ClaimedRoots} from "./libraries/ClaimedRoots.sol";
import {Headers} from "./libraries/Headers.sol";
import {Receipts} from "./libraries/Receipts.sol";
import {RowProof} from "./libraries/RowProof.sol";
import {ClaimedRoot, Predicate} from "./types/Convictions.sol";
import {Header} from "./types/Header.sol";
import {Epoch} from "./types/State.sol";

/// @title Where sequencers are accused of what needs no page to be run
/// @dev Holds no state and no money. Views of the Rollup and one call to it, which comes last. What each call does is
/// told in `ICourt`.
contract Court is ICourt {
    using Headers for Header;

    /// @dev Meta row 0: next sequence u64 ‖ clock u48 ‖ cursor u64 ‖ the rest. docs/spec.md §5.2.
    uint256 private constant META_BYTES = 70;

    /// @inheritdoc ICourt
    function convictHeader(
        IRollup rollup,
        Header calldata header,
        ClaimedRoot calldata last,
        bytes calldata meta,
        bytes32 salt
    ) external {
        (bytes32 contentHash,,) = rollup.batches(header.number);
        // Genesis has a header too, and no page.
        require(contentHash == header.contentHash() && header.pages > 0, NotItsHeader(header.number));
        uint256 place = header.pages - 1;
        bytes32 root = ClaimedRoots.open(last, header, place);
        require(root != header.postRoot || _differs(header, meta, root), HeaderIsHonest());
        bytes32 accusation = Accusations.hash(Predicate.Header, contentHash, place, root);
        rollup.convictBatch(header.number, accusation, msg.sender, salt);
    }

    /// @inheritdoc ICourt
    function convictEquivocation(IRollup rollup, bytes calldata receipt, bytes calldata other, bytes32 salt) external {
        (Receipts.Receipt memory one, Epoch memory epoch) = _open(rollup, receipt);
        (Receipts.Receipt memory two,) = _open(rollup, other);
        bool isBroken = one.epoch == two.epoch && one.leaf != two.leaf && _overlap(one, two);
        require(isBroken, ReceiptHolds());
        if (one.leaf > two.leaf) (one, two) = (two, one);
        bytes32 accusation = Accusations.hash(Predicate.Equivocation, one.leaf, 0, two.leaf);
        rollup.convictSequencer(epoch.sequencer, accusation, msg.sender, salt);
    }

    /// @inheritdoc ICourt
    function convictLate(IRollup rollup, bytes calldata receipt, bytes32 salt) external {
        (Receipts.Receipt memory given, Epoch memory epoch) = _open(rollup, receipt);
        bool isDue = epoch.endedAt == 0 && !_isPosted(rollup, given) && _isOverdue(rollup, given.clock);
        require(isDue && !rollup.isSettled(given.epoch), ReceiptHolds());
        _convict(rollup, epoch.sequencer, Predicate.Late, given.leaf, salt);
    }

    /// @inheritdoc ICourt
    function convictLeftBehind(IRollup rollup, bytes calldata receipt, bytes32 salt) external {
        (Receipts.Receipt memory given, Epoch memory epoch) = _open(rollup, receipt);
        bool isLeft = epoch.endedAt != 0 && given.firstSequence >= epoch.endSequence;
        require(isLeft && !rollup.isSettled(given.epoch), ReceiptHolds());
        _convict(rollup, epoch.sequencer, Predicate.LeftBehind, given.leaf, salt);
    }

    /// @inheritdoc ICourt
    function convictFuture(IRollup rollup, bytes calldata receipt, bytes32 salt) external {
        (Receipts.Receipt memory given, Epoch memory epoch) = _open(rollup, receipt);
        uint256 latest = (block.timestamp + rollup.parameters().clockFuture) * 1000;
        require(given.clock > latest, ReceiptHolds());
        _convict(rollup, epoch.sequencer, Predicate.Future, given.leaf, salt);
    }

    function _convict(IRollup rollup, address account, Predicate predicate, bytes32 leaf, bytes32 salt) private {
        rollup.convictSequencer(account, Accusations.hash(predicate, leaf, 0, 0), msg.sender, salt);
    }

    /// @dev A receipt whose path and signature hold, and its epoch. Nobody signs for an epoch that has not begun: its
    /// key is zero.
    function _open(IRollup rollup, bytes calldata receipt)
        private
        view
        returns (Receipts.Receipt memory given, Epoch memory epoch)
    {
        epoch = rollup.epochs(Receipts.epochOf(receipt));
        given = Receipts.open(receipt, address(rollup), epoch.receiptKey);
    }

    function _isPosted(IRollup rollup, Receipts.Receipt memory given) private view returns (bool) {
        (uint64 number,) = rollup.head();
        return rollup.batchAt(number).nextSequence > given.firstSequence;
    }

    /// @dev No batch may have this clock any more: the same bound as for posting.
    function _isOverdue(IRollup rollup, uint48 clock) private view returns (bool) {
        uint256 slack = rollup.parameters().clockPast + rollup.pausedSince(clock / 1000);
        return block.timestamp * 1000 > uint256(clock) + slack * 1000;
    }

    /// @dev Whether some sequence number is of both; a receipt of no events has none.
    function _overlap(Receipts.Receipt memory one, Receipts.Receipt memory two) private pure returns (bool) {
        uint256 oneEnd = uint256(one.firstSequence) + one.events;
        uint256 twoEnd = uint256(two.firstSequence) + two.events;
        bool isSome = one.events > 0 && two.events > 0;
        return isSome && one.firstSequence < twoEnd && two.firstSequence < oneEnd;
    }

    /// @dev Whether clock, next sequence number or cursor are not those of meta row 0 under the root.
    function _differs(Header calldata header, bytes calldata meta, bytes32 root) private pure returns (bool) {
        (uint256 index, bytes calldata row, bytes32 found) = RowProof.open(meta);
        require(index == 0 && row.length == META_BYTES && found == root, NotMeta());
        return header.nextSequence != uint64(bytes8(row[0:8])) || header.clock != uint48(bytes6(row[8:14]))
            || header.cursor != uint64(bytes8(row[14:22]));
    }
}
