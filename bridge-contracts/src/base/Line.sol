// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The line of those who wait for office
/// @dev Linked both ways through the zero address, so that the first leaves and anyone steps out without a loop.
abstract contract Line {
    mapping(address account => address) private _after;
    mapping(address account => address) private _before;

    /// @dev At the end; whoever stands in it already must not join.
    function _join(address account) internal {
        address last = _before[address(0)];
        _after[last] = account;
        _before[account] = last;
        _before[address(0)] = account;
    }

    /// @dev From wherever `account` stands in it.
    function _stepOut(address account) internal {
        address before = _before[account];
        address next = _after[account];
        _after[before] = next;
        _before[next] = before;
        delete _before[account];
        delete _after[account];
    }

    /// @dev Zero if nobody waits.
    function _firstInLine() internal view returns (address) {
        return _after[address(0)];
    }
}
