// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Settings} from "./Settings.sol";

/// @title The owner, who hands over in two steps
/// @dev Offered and taken: a mistyped address cannot take it.
abstract contract Ownership is Settings {
    address internal _owner;
    address internal _pendingOwner;

    constructor() {
        _owner = FIRST_OWNER;
        emit OwnershipTransferred(address(0), FIRST_OWNER);
    }

    modifier onlyOwner() {
        require(msg.sender == _owner, NotOwner(msg.sender));
        _;
    }

    function _offerOwnership(address to) internal {
        _pendingOwner = to;
        emit OwnershipTransferStarted(_owner, to);
    }

    function _takeOwnership() internal {
        require(msg.sender == _pendingOwner, NotPendingOwner(msg.sender));
        emit OwnershipTransferred(_owner, msg.sender);
        _owner = msg.sender;
        delete _pendingOwner;
    }
}
