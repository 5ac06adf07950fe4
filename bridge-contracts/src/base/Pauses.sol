// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownership} from "./Ownership.sol";

/// @title Pauses, and time that counts without them
/// @dev Pauses may last `PAUSE_MAX` together; then the chain must run for a whole window before there is more. So a
/// batch's window is lengthened by `PAUSE_MAX` at most, and an owner cannot hold the chain for ever. A pause ends by
/// itself when its time is used up.
abstract contract Pauses is Ownership {
    /// @dev The last pause: where it began, and where it ended or will end at the latest.
    uint48 private _pausedAt;
    uint48 private _pauseEnd;
    /// @dev Length of the pauses before it: all of them, and those since the chain last ran for a whole window.
    uint48 private _pausedBefore;
    uint48 private _spentBefore;

    modifier whenRunning() {
        require(!_isPaused(), IsPaused());
        _;
    }

    function _pause() internal whenRunning {
        uint48 last = _pauseEnd - _pausedAt;
        uint48 spent = block.timestamp >= uint256(_pauseEnd) + WINDOW ? 0 : _spentBefore + last;
        require(spent < PAUSE_MAX, PauseSpent(uint256(_pauseEnd) + WINDOW));
        _pausedBefore += last;
        _spentBefore = spent;
        _pausedAt = uint48(block.timestamp);
        _pauseEnd = uint48(block.timestamp) + PAUSE_MAX - spent;
        emit Paused(msg.sender, _pauseEnd);
    }

    function _unpause() internal {
        require(_isPaused(), IsNotPaused());
        _pauseEnd = uint48(block.timestamp);
        emit Unpaused(msg.sender);
    }

    function _isPaused() internal view returns (bool) {
        return block.timestamp < _pauseEnd;
    }

    /// @dev Seconds paused until now, in all.
    function _pausedSeconds() internal view returns (uint48) {
        return _pausedBefore + _lastPause();
    }

    /// @dev When `delay` has passed since `since`, if no pause comes; `pausedBefore`: seconds paused until `since`.
    function _due(uint48 since, uint48 pausedBefore, uint48 delay) internal view returns (uint256) {
        return uint256(since) + delay + _pausedSeconds() - pausedBefore;
    }

    /// @dev Seconds paused since some time within the last window; too many, never too few, if there were several
    /// pauses and the time lies between them.
    function _pausedSince(uint256 time) internal view returns (uint256) {
        return time < _pauseEnd ? _spentBefore + _lastPause() : 0;
    }

    function _lastPause() private view returns (uint48) {
        return (_isPaused() ? uint48(block.timestamp) : _pauseEnd) - _pausedAt;
    }
}
