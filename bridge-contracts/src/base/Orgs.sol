// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Items} from "../libraries/Items.sol";
import {Keys} from "../libraries/Keys.sol";
import {Queue} from "./Queue.sol";

/// @title Orgs and their L1 accounts
/// @dev Every item is checked here as the rollup will check it, so that none is skipped there: the n-th org that is
/// registered here is row n of the rollup's orgs, and stays it, since the queue keeps its order over every rollback.
abstract contract Orgs is Queue {
    uint32 internal _orgCount;
    mapping(uint32 org => address) internal _orgAccounts;
    mapping(address account => uint32) internal _orgOf;

    modifier onlyOrg() {
        require(_orgOf[msg.sender] != 0, NotOrg(msg.sender));
        _;
    }

    function _registerOrg(
        address account,
        uint8 policy,
        bytes32 name,
        bytes32 pseudonymKey,
        uint8 keyKind,
        bytes calldata key,
        bytes32 sealingKey,
        bytes32 tag
    ) internal {
        require(account != address(0), NoAccount());
        require(_orgOf[account] == 0, AccountTaken(account));
        _checkCode(policy);
        require(Keys.isValid(keyKind, key), WrongKey(keyKind, key));
        uint32 org = ++_orgCount;
        _orgAccounts[org] = account;
        _orgOf[account] = org;
        emit OrgRegistered(org, account);
        bytes memory org_ = abi.encodePacked(Items.OP_REGISTER, account, policy, name, pseudonymKey);
        _push(Items.ORG, abi.encodePacked(org_, keyKind, key, sealingKey, tag));
    }

    function _setOrgStatus(uint32 org, uint8 status, uint8 policy) internal {
        require(_orgAccounts[org] != address(0), NoOrg(org));
        _checkCode(status);
        _checkCode(policy);
        _push(Items.ORG, abi.encodePacked(Items.OP_SET_STATUS, org, status, policy));
    }

    function _replaceAdmin(uint32 org, uint8 keyKind, bytes calldata key, bytes32 sealingKey, bytes32 tag) internal {
        require(org != 0 && _orgOf[msg.sender] == org, NotItsAccount(org, msg.sender));
        require(Keys.isValid(keyKind, key), WrongKey(keyKind, key));
        _takeFee();
        _push(Items.ORG, abi.encodePacked(Items.OP_REPLACE_ADMIN, msg.sender, org, keyKind, key, sealingKey, tag));
    }

    /// @dev Policies and statuses are 1 and 2.
    function _checkCode(uint8 code) private pure {
        require(code == 1 || code == 2, WrongCode(code));
    }
}
