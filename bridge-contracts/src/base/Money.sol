// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupErrors} from "../interfaces/IRollupErrors.sol";
import {IRollupEvents} from "../interfaces/IRollupEvents.sol";

/// @title What is owed, and what is burnt
/// @dev Nobody is paid in passing: who is owed collects. Burnt money stays here for ever, no function pays it; so
/// balance = bonds + owed + burnt. Rewards that are held count as owed, to somebody not yet known.
abstract contract Money is IRollupErrors, IRollupEvents {
    mapping(address account => uint256) internal _owed;
    uint256 internal _owedInAll;
    uint256 internal _burnt;

    function _owe(address account, uint256 amount) internal {
        if (amount == 0) return;
        _owed[account] += amount;
        _owedInAll += amount;
    }

    /// @dev Owed to whoever `_giveHeld` names later.
    function _hold(uint256 amount) internal {
        _owedInAll += amount;
    }

    function _giveHeld(address account, uint256 amount) internal {
        _owed[account] += amount;
    }

    function _burn(uint256 amount) internal {
        _burnt += amount;
    }

    function _collect() internal {
        uint256 amount = _owed[msg.sender];
        require(amount > 0, NothingOwed(msg.sender));
        delete _owed[msg.sender];
        _owedInAll -= amount;
        emit Collected(msg.sender, amount);
        _pay(msg.sender, amount);
    }

    /// @dev The last thing a call does.
    function _pay(address to, uint256 amount) internal {
        (bool isTaken,) = to.call{value: amount}("");
        require(isTaken, PaymentFailed(to));
    }
}
