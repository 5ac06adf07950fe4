// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Period} from "../types/State.sol";
import {Orgs} from "./Orgs.sol";

/// @title Roots of masked periods
/// @dev The key officer registers, any number of periods ahead; every member recomputes the root and any org's account,
/// suspended or not, may void it within `PERIOD_OBJECTION`. What is ripe never changes. Source: docs/spec.md §11.2.
abstract contract Periods is Orgs {
    mapping(uint64 number => Period) internal _periods;

    function _registerPeriod(uint64 number, bytes32 root) internal {
        require(MASKED, Unmasked());
        require(msg.sender == KEY_OFFICER, NotKeyOfficer(msg.sender));
        require(root != 0, NoRoot());
        Period storage old = _periods[number];
        require(old.root == 0 || old.isVoided, AlreadyRegistered(number));
        uint48 ripeAt = uint48(block.timestamp) + PERIOD_OBJECTION;
        _periods[number] = Period(root, ripeAt, false);
        emit PeriodRegistered(number, root, ripeAt);
    }

    function _voidPeriod(uint64 number) internal onlyOrg {
        Period storage standing = _periods[number];
        require(standing.root != 0 && !standing.isVoided, NoPeriod(number));
        require(!_isRipe(number), AlreadyRipe(number));
        standing.isVoided = true;
        emit PeriodVoided(number, standing.root, msg.sender);
    }

    function _isRipe(uint64 number) internal view returns (bool) {
        Period storage standing = _periods[number];
        return standing.root != 0 && !standing.isVoided && block.timestamp >= standing.ripeAt;
    }
}
