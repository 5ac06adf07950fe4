// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Items} from "../libraries/Items.sol";
import {Item} from "../types/State.sol";
import {Ledger} from "./Ledger.sol";
import {Money} from "./Money.sol";

/// @title The forced queue
/// @dev Items are taken in order, the head's cursor says how many. Fees are burnt: paid to the sequencer, it could fill
/// the queue at its own expense and price everybody out.
abstract contract Queue is Ledger, Money {
    /// @dev An envelope's head (115) and its smallest event (5: a consent-revoke), and the room in a page.
    uint256 private constant ENVELOPE_BYTES_MIN = 120;
    uint256 private constant ENVELOPE_BYTES_MAX = 953;
    /// @dev Items waiting that double the fee.
    uint256 private constant DOUBLING = 64;

    mapping(uint64 index => Item) internal _items;
    uint64 internal _queueLength;

    function _enqueueEnvelope(bytes calldata envelope) internal {
        uint256 length = envelope.length;
        require(length >= ENVELOPE_BYTES_MIN && length <= ENVELOPE_BYTES_MAX, WrongEnvelope(length));
        _takeFee();
        _push(Items.ENVELOPE, envelope);
    }

    /// @dev What is paid above the fee is owed back: whoever sends does not know how many came before.
    function _takeFee() internal {
        uint256 fee = _forcedFee();
        require(msg.value >= fee, FeeTooLow(msg.value, fee));
        _burn(fee);
        _owe(msg.sender, msg.value - fee);
    }

    function _push(uint8 kind, bytes memory body) internal {
        uint48 time = uint48(block.timestamp * 1000);
        uint64 index = _queueLength++;
        _items[index] = Item(Items.hash(kind, time, body), uint48(block.timestamp), _pausedSeconds());
        emit ItemEnqueued(index, kind, time, body);
    }

    function _forcedFee() internal view returns (uint256) {
        uint256 doublings = (_queueLength - _head().cursor) / DOUBLING;
        return doublings < 128 ? uint256(FORCED_FEE) << doublings : type(uint256).max;
    }

    /// @dev When the item is overdue for L1's clock, if no pause comes.
    function _overdueAt(uint64 index) internal view returns (uint256) {
        return _due(_items[index].time, _items[index].pausedBefore, OVERDUE_AGE) + 1;
    }

    /// @dev Whether a batch with this clock (milliseconds) must not leave the item. An earlier item is overdue before.
    function _isOverdue(uint64 index, uint48 clock) internal view returns (bool) {
        return clock > _due(_items[index].time, _items[index].pausedBefore, OVERDUE_AGE) * 1000;
    }
}
